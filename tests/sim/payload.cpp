// SPDX-License-Identifier: Apache-2.0
#include "payload.hpp"

#include <cstring>

#include "hermod/base/hash.hpp"

namespace hermod::sim {
namespace {

constexpr std::size_t kLabelSize = 8;
constexpr std::size_t kHashSize = 8;
static_assert(kLabelSize + kHashSize == kPayloadMin);

std::uint64_t hash_of(Bytes payload, std::string_view name) {
  constexpr std::uint64_t kKey = 0x51ed270b3a4f9c6du;
  const std::uint64_t label = keyed_hash(as_text(payload.first(kLabelSize)), kKey);
  const std::uint64_t filling = keyed_hash(as_text(payload.subspan(kPayloadMin)), label);
  return keyed_hash(name, filling);
}

}  // namespace

std::vector<std::uint8_t> make_payload(const Label& label, std::string_view name,
                                       std::size_t size) {
  std::vector<std::uint8_t> out(size);
  std::memcpy(out.data(), &label.producer, sizeof(label.producer));
  std::memcpy(out.data() + 2, &label.topic, sizeof(label.topic));
  std::memcpy(out.data() + 4, &label.sequence, sizeof(label.sequence));
  auto octet = static_cast<std::uint8_t>(label.sequence * 31u + label.producer);
  for (std::size_t i = kPayloadMin; i < size; ++i) {
    octet = static_cast<std::uint8_t>(octet * 5u + 17u);
    out[i] = octet;
  }
  const std::uint64_t hash = hash_of(out, name);
  std::memcpy(out.data() + kLabelSize, &hash, sizeof(hash));
  return out;
}

std::optional<Label> read_payload(Bytes payload, std::string_view name) {
  if (payload.size() < kPayloadMin) return std::nullopt;
  std::uint64_t hash = 0;
  std::memcpy(&hash, payload.data() + kLabelSize, sizeof(hash));
  if (hash != hash_of(payload, name)) return std::nullopt;
  return read_label(payload);
}

std::optional<Label> read_label(Bytes payload) {
  if (payload.size() < kPayloadMin) return std::nullopt;
  Label label;
  std::memcpy(&label.producer, payload.data(), sizeof(label.producer));
  std::memcpy(&label.topic, payload.data() + 2, sizeof(label.topic));
  std::memcpy(&label.sequence, payload.data() + 4, sizeof(label.sequence));
  return label;
}

}  // namespace hermod::sim
