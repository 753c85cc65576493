// SPDX-License-Identifier: Apache-2.0
// The packets that carry lists: SUBSCRIBE, SUBACK and UNSUBSCRIBE.
#include "hermod/mqtt/codec/subscribe.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "hermod/mqtt/codec/suback.hpp"
#include "hermod/mqtt/codec/unsubscribe.hpp"
#include "hermod/testkit/octets.hpp"

namespace hermod::mqtt {
namespace {

using testkit::octets;

static_assert(std::forward_iterator<SubscribeEntries::Iterator>);
static_assert(std::forward_iterator<UnsubscribeFilters::Iterator>);

constexpr const char* kSubscribe = "82 14 000a 0003 'a/b' 01 0003 'c/d' 02 0003 '+/#' 00";
constexpr const char* kUnsubscribe = "a2 0c 0001 0003 'a/b' 0003 'c/#'";

TEST(SubscribeTest, EntriesComeInOrder) {
  const std::vector<std::uint8_t> packet = octets(kSubscribe);
  const SubscribeView subscribe =
      read_subscribe(read_fixed_header(packet).value(), Bytes(packet).subspan(2), Version::kV311)
          .value();
  EXPECT_EQ(subscribe.packet_id, 10);
  EXPECT_EQ(subscribe.entries.size(), 3u);
  const std::vector<SubscribeEntry> entries(subscribe.entries.begin(), subscribe.entries.end());
  EXPECT_EQ(entries, (std::vector<SubscribeEntry>{{"a/b", 1}, {"c/d", 2}, {"+/#", 0}}));
  EXPECT_EQ(as_bytes(entries[0].filter).data(), packet.data() + 6);
}

TEST(SubscribeTest, WritesTheOctetsOfTheSpecification) {
  const std::array entries = {SubscribeEntry{"a/b", 1}, SubscribeEntry{"c/d", 2},
                              SubscribeEntry{"+/#", 0}};
  std::vector<std::uint8_t> out(subscribe_size(entries, Version::kV311));
  EXPECT_EQ(write_subscribe(out.data(), 10, entries, Version::kV311), out.data() + out.size());
  EXPECT_EQ(out, octets(kSubscribe));
}

TEST(SubscribeTest, NoEntriesAreAnEmptyRange) {
  const SubscribeEntries none;
  EXPECT_EQ(none.begin(), none.end());
  EXPECT_EQ(none.size(), 0u);
}

TEST(SubscribeTest, SizeIsZeroForAListThatMqttCannotSay) {
  const std::string longest(65'535, 'x');
  const std::vector<SubscribeEntry> entries(4'096, SubscribeEntry{longest, 0});
  const std::vector<std::string_view> filters(4'096, longest);
  EXPECT_EQ(subscribe_size(entries, Version::kV311), 0u);
  EXPECT_EQ(unsubscribe_size(filters, Version::kV311), 0u);
}

TEST(UnsubscribeTest, FiltersComeInOrder) {
  const std::vector<std::uint8_t> packet = octets(kUnsubscribe);
  const UnsubscribeView unsubscribe =
      read_unsubscribe(read_fixed_header(packet).value(), Bytes(packet).subspan(2), Version::kV311)
          .value();
  EXPECT_EQ(unsubscribe.packet_id, 1);
  EXPECT_EQ(unsubscribe.filters.size(), 2u);
  const std::vector<std::string_view> filters(unsubscribe.filters.begin(),
                                              unsubscribe.filters.end());
  EXPECT_EQ(filters, (std::vector<std::string_view>{"a/b", "c/#"}));
}

TEST(UnsubscribeTest, WritesTheOctetsOfTheSpecification) {
  const std::array<std::string, 2> filters = {"a/b", "c/#"};
  std::vector<std::uint8_t> out(unsubscribe_size(filters, Version::kV311));
  EXPECT_EQ(write_unsubscribe(out.data(), 1, filters, Version::kV311), out.data() + out.size());
  EXPECT_EQ(out, octets(kUnsubscribe));
}

TEST(SubscribeTest, OptionsAndPropertiesOfMqtt5) {
  constexpr const char* kPacket = "82 17 000a 02 0b 07 0003 'a/b' 05 0003 'c/d' 1a 0003 '+/#' 20";
  const std::vector<std::uint8_t> packet = octets(kPacket);
  const SubscribeView subscribe = read_subscribe(read_fixed_header(packet, Version::kV5).value(),
                                                 Bytes(packet).subspan(2), Version::kV5)
                                      .value();
  const std::vector<SubscribeEntry> entries(subscribe.entries.begin(), subscribe.entries.end());
  EXPECT_EQ(entries, (std::vector<SubscribeEntry>{
                         {.filter = "a/b", .qos = 1, .no_local = true},
                         {.filter = "c/d",
                          .qos = 2,
                          .retain_as_published = true,
                          .retain_handling = RetainHandling::kSendIfNew},
                         {.filter = "+/#", .retain_handling = RetainHandling::kDoNotSend}}));
  EXPECT_EQ(subscribe.entries.size(), 3u);
  EXPECT_EQ(subscribe.properties.number_or(PropertyId::kSubscriptionIdentifier, 0), 7u);

  const PropertyBlock& properties = subscribe.properties;
  std::vector<std::uint8_t> out(subscribe_size(entries, Version::kV5, properties));
  write_subscribe(out.data(), 10, entries, Version::kV5, properties);
  EXPECT_EQ(out, packet);
  std::vector<std::uint8_t> old(subscribe_size(entries, Version::kV311, properties));
  write_subscribe(old.data(), 10, entries, Version::kV311, properties);
  EXPECT_EQ(old, octets(kSubscribe)) << "3.1.1 knows the QoS alone";
}

TEST(SubscribeTest, EveryOptionsOctetIsJudgedByItsVersion) {
  for (int options = 0; options < 256; ++options) {
    std::vector<std::uint8_t> v5 = octets("82 07 0001 00 0001 'a' 00");
    v5.back() = static_cast<std::uint8_t>(options);
    const bool valid_v5 = options < 0x40 && (options & 0x03) != 3 && (options & 0x30) != 0x30;
    EXPECT_EQ(read_subscribe({.type = PacketType::kSubscribe, .remaining_length = 7},
                             Bytes(v5).subspan(2), Version::kV5)
                  .has_value(),
              valid_v5)
        << options;
    std::vector<std::uint8_t> v311 = octets("82 06 0001 0001 'a' 00");
    v311.back() = static_cast<std::uint8_t>(options);
    EXPECT_EQ(read_subscribe({.type = PacketType::kSubscribe, .remaining_length = 6},
                             Bytes(v311).subspan(2), Version::kV311)
                  .has_value(),
              options <= 2)
        << options;
  }
}

TEST(SubackTest, ReturnCodesComeInOrderAndGoOutAgain) {
  const std::vector<std::uint8_t> packet = octets("90 06 000a 02 80 00 01");
  const SubackView suback =
      read_suback(read_fixed_header(packet).value(), Bytes(packet).subspan(2), Version::kV311)
          .value();
  EXPECT_EQ(suback.packet_id, 10);
  EXPECT_EQ(std::vector<std::uint8_t>(suback.return_codes.begin(), suback.return_codes.end()),
            octets("02 80 00 01"));
  std::vector<std::uint8_t> out(suback_size(suback, Version::kV311));
  write_suback(out.data(), suback, Version::kV311);
  EXPECT_EQ(out, packet);
}

}  // namespace
}  // namespace hermod::mqtt
