// SPDX-License-Identifier: Apache-2.0
// What must hold for every wire codec, written once. Each check answers "" when the property holds
// and a sentence that says how it fails otherwise, so that GoogleTest and fuzz targets use the
// same:
//
//   EXPECT_EQ(testkit::round_trip(PacketCodec{}, packet), "");
//
// Stream codecs (MQTT, AMQP) have all properties; of a datagram codec, whose packet ends where the
// datagram ends, only round_trip(), reencodes() and decodes_without_allocating() make sense.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "hermod/base/bytes.hpp"
#include "hermod/base/wire_error.hpp"
#include "hermod/testkit/octets.hpp"

namespace hermod::testkit {

/// A value and how many octets of the input it took.
template <typename Value>
struct Decoded {
  Value value;
  std::size_t consumed = 0;
};

/// The face that a test shows the kit. A Value may borrow from the octets it was decoded from.
template <typename C>
concept CodecUnderTest =
    requires(const C codec, const typename C::Value& value, std::uint8_t* out, Bytes bytes) {
      { codec.decode(bytes) } -> std::same_as<WireResult<Decoded<typename C::Value>>>;
      { codec.encoded_size(value) } -> std::same_as<std::size_t>;
      { codec.encode(out, value) } -> std::same_as<std::uint8_t*>;
      { codec.same(value, value) } -> std::same_as<bool>;
    };

/// What an error says, for messages.
[[nodiscard]] inline std::string describe(const WireError& error) {
  if (error.incomplete()) return "incomplete, needs " + std::to_string(error.bytes_needed);
  return std::string("malformed by ") + error.statement + " at " + std::to_string(error.offset) +
         ", code " + std::to_string(error.code);
}

/// A copy in a heap block of exactly its size, so that AddressSanitizer sees every read behind it.
class ExactCopy {
 public:
  explicit ExactCopy(Bytes bytes)
      : size_(bytes.size()), octets_(std::make_unique_for_overwrite<std::uint8_t[]>(size_)) {
    std::ranges::copy(bytes, octets_.get());
  }
  [[nodiscard]] Bytes bytes() const { return {octets_.get(), size_}; }

 private:
  std::size_t size_;
  std::unique_ptr<std::uint8_t[]> octets_;
};

/// Encodes `value` into `out`. Fails when the predicted size is not the written size, or when the
/// writer touches what lies behind it.
template <CodecUnderTest C>
[[nodiscard]] std::string encode_checked(const C& codec, const typename C::Value& value,
                                         std::vector<std::uint8_t>& out) {
  constexpr std::uint8_t kGuard = 0xA5;
  constexpr std::size_t kGuardSize = 16;
  const std::size_t predicted = codec.encoded_size(value);
  out.assign(predicted + kGuardSize, kGuard);
  const auto written = static_cast<std::size_t>(codec.encode(out.data(), value) - out.data());
  if (written != predicted) {
    return "predicted " + std::to_string(predicted) + " octets, wrote " + std::to_string(written);
  }
  if (std::ranges::count(Bytes(out).last(kGuardSize), kGuard) != kGuardSize) {
    return "wrote behind the predicted size: " + hex(out);
  }
  out.resize(predicted);
  return "";
}

/// Predicted size equals written size, and what was written decodes to the same value and to
/// nothing more, also when other octets follow.
template <CodecUnderTest C>
[[nodiscard]] std::string round_trip(const C& codec, const typename C::Value& value) {
  std::vector<std::uint8_t> encoded;
  if (std::string wrong = encode_checked(codec, value, encoded); !wrong.empty()) return wrong;
  const ExactCopy copy(encoded);
  const auto decoded = codec.decode(copy.bytes());
  if (!decoded) return describe(decoded.error()) + " after writing " + hex(encoded);
  if (decoded->consumed != encoded.size()) {
    return "wrote " + std::to_string(encoded.size()) + " octets, read " +
           std::to_string(decoded->consumed) + ": " + hex(encoded);
  }
  if (!codec.same(decoded->value, value)) return "another value comes back from " + hex(encoded);
  return "";
}

/// Octets that decode must encode and decode to the same value again.
template <CodecUnderTest C>
[[nodiscard]] std::string reencodes(const C& codec, Bytes bytes) {
  const ExactCopy copy(bytes);
  const auto decoded = codec.decode(copy.bytes());
  if (!decoded) return describe(decoded.error()) + ": " + hex(bytes);
  return round_trip(codec, decoded->value);
}

/// Every proper prefix of one packet is incomplete, and says that it needs more than it has but not
/// more than the packet.
template <CodecUnderTest C>
[[nodiscard]] std::string prefixes_are_incomplete(const C& codec, Bytes packet) {
  for (std::size_t size = 0; size < packet.size(); ++size) {
    const ExactCopy prefix(packet.first(size));
    const auto decoded = codec.decode(prefix.bytes());
    const std::string place =
        " from the first " + std::to_string(size) + " octets of " + hex(packet);
    if (decoded) return "decoded" + place;
    const WireError& error = decoded.error();
    if (!error.incomplete() || error.bytes_needed <= size || error.bytes_needed > packet.size()) {
      return describe(error) + place;
    }
  }
  return "";
}

/// What comes out of a stream that arrives in pieces of `piece` octets: each packet encoded again,
/// and at the end the error, if one ended it. Never asks the codec before it has what it asked for.
template <CodecUnderTest C>
[[nodiscard]] std::vector<std::string> transcript(const C& codec, Bytes stream, std::size_t piece) {
  std::vector<std::string> out;
  std::size_t start = 0;
  std::size_t end = 0;
  std::size_t needed = 1;
  while (true) {
    while (end - start < needed && end < stream.size()) end += std::min(piece, stream.size() - end);
    if (end - start < needed) break;
    const ExactCopy arrived(stream.subspan(start, end - start));
    const auto decoded = codec.decode(arrived.bytes());
    if (!decoded && decoded.error().incomplete()) {
      needed = std::max(decoded.error().bytes_needed, end - start + 1);
      continue;
    }
    if (!decoded) {
      out.push_back(describe(decoded.error()));
      break;
    }
    std::vector<std::uint8_t> encoded(codec.encoded_size(decoded->value));
    codec.encode(encoded.data(), decoded->value);
    out.emplace_back(as_text(encoded));
    start += decoded->consumed;
    needed = 1;
  }
  return out;
}

/// Octet by octet, and in small pieces, a stream gives what it gives all at once: the same packets
/// and the same error.
template <CodecUnderTest C>
[[nodiscard]] std::string pieces_agree(const C& codec, Bytes stream) {
  const std::vector<std::string> whole = transcript(codec, stream, stream.size());
  for (const std::size_t piece : {1, 2, 3, 7}) {
    const std::vector<std::string> sliced = transcript(codec, stream, piece);
    if (sliced != whole) {
      return "pieces of " + std::to_string(piece) + " give " + std::to_string(sliced.size()) +
             " results, the whole gives " + std::to_string(whole.size()) +
             " or others: " + hex(stream);
    }
  }
  return "";
}

}  // namespace hermod::testkit
