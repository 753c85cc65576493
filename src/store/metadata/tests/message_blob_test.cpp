// SPDX-License-Identifier: Apache-2.0
#include "message_blob.hpp"

#include <gtest/gtest.h>

#include "describe.hpp"
#include "hermod/base/rng.hpp"
#include "samples.hpp"

namespace hermod::store {
namespace {

using model::Message;
using model::Properties;
using model::UserProperty;

std::vector<std::uint8_t> encode(const Message& message) {
  std::vector<std::uint8_t> out;
  encode_message(message, sample_calendar(), out);
  return out;
}

// What `message` is after it has been kept; what is wrong with its octets instead.
std::string kept(const Message& message) {
  const auto decoded = decode_message(encode(message), sample_calendar());
  return decoded ? describe(**decoded) : decoded.error();
}

TEST(MessageBlob, KeepsEveryMember) {
  const FullMessage full;
  EXPECT_EQ(kept(full.message), describe(full.message));
}

TEST(MessageBlob, KeepsAMessageWithoutAnything) {
  const Message message;
  EXPECT_EQ(kept(message), describe(message));
  const Properties properties;
  const Message with{.properties = &properties};
  EXPECT_EQ(kept(with), describe(with));
}

TEST(MessageBlob, TellsEmptyFromAbsent) {
  Message message{.destination = model::Destination::topic("t")};
  EXPECT_EQ(kept(message), describe(message));
  const std::uint8_t none = 0;
  const Bytes empty{&none, 0};
  message.payload = empty;
  message.destination.routing_key = "";
  const Properties properties{
      .content_type = "", .reply_to = "", .correlation = empty, .message_id = "", .etag = empty};
  message.properties = &properties;
  EXPECT_EQ(kept(message), describe(message));
  EXPECT_NE(describe(message).find("payload ''"), std::string::npos);
}

TEST(MessageBlob, KeepsWhatIsLarge) {
  const std::string payload(3u << 20, 'p');
  const std::vector<UserProperty> user(10'000, UserProperty{"name", std::string_view{"value"}});
  const Properties properties{.user = user};
  const Message message{.destination = model::Destination::topic("t"),
                        .payload = as_bytes(payload),
                        .properties = &properties};
  EXPECT_EQ(kept(message), describe(message));
}

// The octets of a store that is there already: they do not change, or the format gets a number.
TEST(MessageBlob, IsWrittenAsTheFormatSays) {
  const Message message{.destination = model::Destination::topic("a/b"),
                        .payload = as_bytes("x"),
                        .guarantee = model::Guarantee::kAtLeastOnce};
  const std::vector<std::uint8_t> expected{0x8b, 0x01, 0x00, 0x43, 'a',  '/',  'b',
                                           0xf6, 0x41, 'x',  0x01, 0xf4, 0x85, 0x00,
                                           0x00, 0x00, 0x00, 0x00, 0x00, 0xf6, 0xf6};
  EXPECT_EQ(encode(message), expected);
}

TEST(MessageBlob, RefusesEveryPrefixAndWhatIsBehind) {
  const FullMessage full;
  std::vector<std::uint8_t> octets = encode(full.message);
  for (std::size_t size = 0; size < octets.size(); ++size) {
    EXPECT_FALSE(decode_message(Bytes{octets}.first(size), sample_calendar())) << size;
  }
  octets.push_back(0);
  EXPECT_FALSE(decode_message(octets, sample_calendar()));
}

TEST(MessageBlob, RefusesAnotherFormatAndMembersOutOfRange) {
  const Message message{.destination = model::Destination::topic("a/b"), .payload = as_bytes("x")};
  const std::vector<std::uint8_t> octets = encode(message);
  const auto with = [&](std::size_t at, std::uint8_t octet) {
    std::vector<std::uint8_t> changed = octets;
    changed[at] = octet;
    return decode_message(changed, sample_calendar()).has_value();
  };
  EXPECT_TRUE(with(1, 1));
  EXPECT_FALSE(with(1, 2)) << "format";
  EXPECT_TRUE(with(2, 2));
  EXPECT_FALSE(with(2, 3)) << "kind of destination";
  EXPECT_TRUE(with(10, 2));
  EXPECT_FALSE(with(10, 3)) << "guarantee";
  EXPECT_FALSE(with(11, 0xf6)) << "retain";
}

// Whatever the octets, decoding ends, and gives nothing that encoding would not give back.
TEST(MessageBlob, BearsDamage) {
  const FullMessage full;
  const std::vector<std::uint8_t> octets = encode(full.message);
  SeededRng rng(1);
  int refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::uint8_t> damaged = octets;
    for (std::uint64_t hits = 1 + rng.below(3); hits > 0; --hits) {
      damaged[rng.below(damaged.size())] = static_cast<std::uint8_t>(rng.next());
    }
    const auto decoded = decode_message(damaged, sample_calendar());
    if (!decoded) {
      ++refused;
      continue;
    }
    const std::string first = describe(**decoded);
    EXPECT_EQ(kept(**decoded), first);
  }
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace hermod::store
