// SPDX-License-Identifier: Apache-2.0
#include "message_record.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <span>
#include <string>
#include <vector>

#include "hermod/testkit/allocations.hpp"
#include "hermod/testkit/octets.hpp"
#include "record_samples.hpp"

namespace hermod::store {
namespace {

using model::Guarantee;
using model::Message;

constexpr Duration kToCalendar = std::chrono::hours(500'000);

// A recipient with its subscription ids, comparable.
struct Named {
  core::QueueId queue = 0;
  model::Tag tag = 0;
  Guarantee guarantee{};
  bool retain_as_published = false;
  std::vector<std::uint32_t> ids;
  bool operator==(const Named&) const = default;
};

std::vector<Named> recipients_of(MessageRecord& record, bool ok = true) {
  std::vector<Named> all;
  while (record.recipients.next()) {
    const RecipientView& r = record.recipients.recipient();
    all.push_back({r.queue, r.tag, r.guarantee, r.retain_as_published, {}});
    r.subscription_ids(all.back().ids);
  }
  EXPECT_EQ(record.recipients.ok(), ok);
  return all;
}

// The body in one piece, as it lies in the log.
std::vector<std::uint8_t> body_of(const Draft& draft) {
  std::vector<std::uint8_t> body(draft.front.begin(), draft.front.end());
  body.insert(body.end(), draft.payload.begin(), draft.payload.end());
  return body;
}

RecordView view_of(Bytes body, std::uint8_t version = kBodyVersion) {
  return {.position = 0, .kind = RecordKind::kMessage, .version = version, .body = body};
}

TEST(MessageRecord, KeepsAllOfAMessage) {
  RunEncoder encoder;
  for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
    samples::MessageSample sample(seed);
    const Message& message = sample.message();
    const Message* const run[] = {&message};
    const core::Recipient to{.queue = 1, .tag = 5, .count = 1};
    const auto drafts = encoder.encode({.messages = run, .recipients = {&to, 1}}, kToCalendar);
    ASSERT_EQ(drafts.size(), 1u);
    const auto body = body_of(drafts[0]);
    EXPECT_EQ(hash_of(body), drafts[0].hash);
    auto record = decode_message(view_of(body));
    ASSERT_TRUE(record) << seed;
    EXPECT_EQ(recipients_of(*record), std::vector{Named({.queue = 1, .tag = 5})});
    PropertyStorage storage;
    const auto decoded = decode_content(record->content, kToCalendar, storage);
    ASSERT_TRUE(decoded) << seed;
    EXPECT_EQ(samples::difference(message, *decoded), "") << seed;
  }
}

TEST(MessageRecord, AValueIsTheSameWithoutRecipients) {
  RunEncoder encoder;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    samples::MessageSample sample(seed);
    const Draft draft = encoder.encode_value(sample.message(), kToCalendar);
    EXPECT_EQ(draft.kind, RecordKind::kValue);
    EXPECT_EQ(draft.references, 1u);
    const auto body = body_of(draft);
    PropertyStorage storage;
    const auto decoded = decode_value(view_of(body), kToCalendar, storage);
    ASSERT_TRUE(decoded) << seed;
    EXPECT_EQ(samples::difference(sample.message(), *decoded), "") << seed;
  }
}

TEST(MessageRecord, NamesRecipientsWithAllThatTheyAskedFor) {
  samples::MessageSample sample(1);
  const Message* const run[] = {&sample.message()};
  const std::vector<std::uint32_t> ids{1, 268'435'455, UINT32_MAX};
  const std::vector<core::Recipient> to{
      {.queue = 10, .tag = 3, .count = 1, .guarantee = Guarantee::kAtLeastOnce},
      {.queue = 9,
       .tag = UINT64_MAX,
       .count = 1,
       .guarantee = Guarantee::kExactlyOnce,
       .subscription_ids = ids},
      {.queue = UINT64_MAX, .tag = 0, .count = 1, .retain_as_published = true}};
  RunEncoder encoder;
  const auto drafts = encoder.encode({.messages = run, .recipients = to}, kToCalendar);
  EXPECT_EQ(drafts[0].references, 3u);
  const auto body = body_of(drafts[0]);
  auto record = decode_message(view_of(body));
  ASSERT_TRUE(record);
  EXPECT_EQ(recipients_of(*record),
            (std::vector<Named>{{10, 3, Guarantee::kAtLeastOnce, false, {}},
                                {9, UINT64_MAX, Guarantee::kExactlyOnce, false, ids},
                                {UINT64_MAX, 0, Guarantee::kAtMostOnce, true, {}}}));
}

TEST(MessageRecord, ARunGivesEachMessageItsTagsAndThoseWhoGetIt) {
  std::deque<samples::MessageSample> kept;
  for (std::uint64_t seed = 0; seed < 5; ++seed) kept.emplace_back(seed);
  std::vector<const Message*> run;
  for (const auto& sample : kept) run.push_back(&sample.message());
  const std::vector<core::Recipient> to{{.queue = 1, .tag = 100, .count = 5},
                                        {.queue = 2, .tag = 7, .count = 2},
                                        {.queue = 3, .tag = 50, .count = 4}};
  RunEncoder encoder;
  const auto drafts = encoder.encode({.messages = run, .recipients = to}, kToCalendar);
  ASSERT_EQ(drafts.size(), 5u);
  for (std::uint64_t i = 0; i < 5; ++i) {
    std::vector<Named> expected{{.queue = 1, .tag = 100 + i}};
    if (i < 2) expected.push_back({.queue = 2, .tag = 7 + i});
    if (i < 4) expected.push_back({.queue = 3, .tag = 50 + i});
    EXPECT_EQ(drafts[i].references, expected.size());
    const auto body = body_of(drafts[i]);
    auto record = decode_message(view_of(body));
    ASSERT_TRUE(record);
    EXPECT_EQ(recipients_of(*record), expected) << i;
    PropertyStorage storage;
    const auto content = decode_content(record->content, kToCalendar, storage);
    ASSERT_TRUE(content);
    EXPECT_EQ(samples::difference(*run[i], *content), "") << i;
  }
}

TEST(MessageRecord, KeepsTheExchangeOfAPublisherThatIsKept) {
  RunEncoder encoder;
  std::vector<Message> messages(4, {.destination = model::Destination::topic("t")});
  messages[1].origin.exchange = core::exchange_of(77, 65'535);
  messages[2].origin.exchange = core::exchange_of(0, 65'535);  // one that ends with its connection
  messages[3].origin.exchange = core::exchange_of(1, 1);
  std::vector<const Message*> run;
  for (const Message& message : messages) run.push_back(&message);
  // Also when nobody gets it.
  const auto drafts = encoder.encode({.messages = run}, {});
  ASSERT_EQ(drafts.size(), 4u);
  const std::uint64_t kept[] = {0, core::exchange_of(77, 65'535), 0, core::exchange_of(1, 1)};
  for (std::size_t i = 0; i < 4; ++i) {
    const auto body = body_of(drafts[i]);
    auto record = decode_message(view_of(body));
    ASSERT_TRUE(record);
    EXPECT_EQ(record->exchange, kept[i]) << i;
    EXPECT_EQ(drafts[i].references, 0u);
    EXPECT_TRUE(recipients_of(*record).empty());
  }
}

TEST(MessageRecord, KeepsThePlaceThatTheMessageLeft) {
  RunEncoder encoder;
  Message message{.destination = model::Destination::topic("t")};
  message.origin.exchange = core::exchange_of(77, 1);
  const Message* const only = &message;
  for (const core::QueuePlace from :
       {core::QueuePlace{}, core::QueuePlace{1, 0}, core::QueuePlace{UINT64_MAX, UINT64_MAX}}) {
    const auto drafts = encoder.encode({.messages = {&only, 1}, .moved_from = from}, {});
    const auto body = body_of(drafts[0]);
    const auto record = decode_message(view_of(body));
    ASSERT_TRUE(record);
    EXPECT_EQ(record->exchange, core::exchange_of(77, 1));
    EXPECT_EQ(record->moved_from.queue, from.queue);
    EXPECT_EQ(record->moved_from.tag, from.tag);
  }
}

TEST(MessageRecord, ExpiriesFollowTheCalendar) {
  Message message{.destination = model::Destination::topic("t")};
  RunEncoder encoder;
  PropertyStorage storage;
  const auto came_back = [&](Instant expires_at, Duration written, Duration read) {
    message.expires_at = expires_at;
    const auto body = body_of(encoder.encode_value(message, written));
    return decode_value(view_of(body), read, storage)->expires_at;
  };
  const auto at = [](auto since) { return Instant{since}; };
  using std::chrono::milliseconds;
  using std::chrono::nanoseconds;
  // The monotonic clock began anew: what is left of the time is the same.
  EXPECT_EQ(came_back(at(milliseconds(5'000)), milliseconds(100'000), milliseconds(103'000)),
            at(milliseconds(2'000)));
  // Never before its time, and at most a millisecond after it.
  EXPECT_EQ(came_back(at(nanoseconds(1)), {}, {}), at(milliseconds(1)));
  EXPECT_EQ(came_back(at(nanoseconds(-1)), {}, {}), at(nanoseconds(0)));
  EXPECT_EQ(came_back(kNever, milliseconds(1), milliseconds(2)), kNever);
  // Beyond what an instant can say.
  const Instant latest = kNever - nanoseconds(1);
  EXPECT_EQ(came_back(latest, milliseconds(500), {}), kNever);
  EXPECT_EQ(came_back(latest, {}, milliseconds(-500)), kNever);
  EXPECT_LE(came_back(Instant::min(), milliseconds(-500), milliseconds(500)),
            Instant::min() + milliseconds(600));
}

TEST(MessageRecord, LargePayloadsStayWhereTheyAre) {
  const std::string small(kPayloadCopiedMax, 's');
  const std::string large(kPayloadCopiedMax + 1, 'l');
  RunEncoder encoder;
  Message message{.destination = model::Destination::topic("t"), .payload = as_bytes(small)};
  EXPECT_TRUE(encoder.encode_value(message, {}).payload.empty());
  message.payload = as_bytes(large);
  EXPECT_EQ(encoder.encode_value(message, {}).payload.data(), message.payload.data());
}

TEST(MessageRecord, IsCompact) {
  const std::string payload(64, 'p');
  const Message message{.destination = model::Destination::topic("sensors/kitchen/t"),
                        .payload = as_bytes(payload)};
  const Message* const run[] = {&message};
  std::vector<core::Recipient> to;
  for (std::uint64_t i = 0; i < 100; ++i) to.push_back({.queue = 5'000 + i, .tag = 90, .count = 1});
  RunEncoder encoder;
  const auto one = encoder.encode({.messages = run, .recipients = std::span(to).first(1)}, {});
  EXPECT_LE(one[0].body_octets(), 64u + 17u + 12u);
  const auto all = encoder.encode({.messages = run, .recipients = to}, {});
  EXPECT_LE(all[0].body_octets(), 64u + 17u + 12u + 3u * 99 + 2u);
}

TEST(MessageRecord, AProperPrefixIsNeverTheMessage) {
  samples::MessageSample sample(3);
  Message message = sample.message();
  message.payload = {};  // it has no end of its own
  const Message* const run[] = {&message};
  const std::vector<std::uint32_t> ids{1, 300};
  const std::vector<core::Recipient> to{
      {.queue = 300, .tag = 3, .count = 1},
      {.queue = 3, .tag = 300, .count = 1, .subscription_ids = ids}};
  RunEncoder encoder;
  const auto body = body_of(encoder.encode({.messages = run, .recipients = to}, {})[0]);
  for (std::size_t size = 0; size < body.size(); ++size) {
    const std::vector<std::uint8_t> prefix(body.begin(), body.begin() + size);
    PropertyStorage storage;
    const auto record = decode_message(view_of(prefix));
    EXPECT_FALSE(record && decode_content(record->content, {}, storage)) << size;
  }
}

TEST(MessageRecord, DeclaredLengthsAllocateNothing) {
  for (const char* const body : {"00 00 ff*9 01",                              // recipients
                                 "00 00 00 40 00 00 ff*9 01",                  // an address
                                 "00 00 00 40 00 00 01 't' 01 ff*9 01",        // a content type
                                 "00 00 00 40 00 00 01 't' 80 02 ff*9 01"}) {  // user properties
    const auto octets = testkit::octets(body);
    PropertyStorage storage;
    const std::size_t before = testkit::allocation_count();
    const auto record = decode_message(view_of(octets));
    EXPECT_FALSE(record && decode_content(record->content, {}, storage)) << body;
    EXPECT_EQ(testkit::allocation_count() - before, 0u) << body;
  }
}

TEST(MessageRecord, RefusesWhatHasNoMeaning) {
  PropertyStorage storage;
  const auto content = [&](const char* octets) {
    const auto body = testkit::octets(octets);
    return decode_content(body, {}, storage).has_value();
  };
  EXPECT_TRUE(content("00 00 00 01 't'"));
  EXPECT_FALSE(content("03 00 00 01 't'"));  // a guarantee
  EXPECT_FALSE(content("18 00 00 01 't'"));  // a kind of destination
  EXPECT_TRUE(content("40 00 00 01 't' ff 03 00 00 00 00 00 00 00 00"));
  EXPECT_FALSE(content("40 00 00 01 't' 80 04"));  // a property
  EXPECT_TRUE(content("40 00 00 01 't' 80 02 01 01 'n' 04"));
  EXPECT_FALSE(content("40 00 00 01 't' 80 02 01 01 'n' 08"));  // the type of a value
  EXPECT_FALSE(content("00 00 80 80 80 80 10 01 't'"));         // a client of 33 bits
  const auto flags = testkit::octets("02 00 00");
  EXPECT_FALSE(decode_message(view_of(flags)));
  const auto good = testkit::octets("00 00 00");
  EXPECT_TRUE(decode_message(view_of(good)));
  EXPECT_FALSE(decode_message(view_of(good, kBodyVersion + 1)));
  EXPECT_FALSE(decode_value(view_of(good, kBodyVersion + 1), {}, storage));
  for (const char* const wrong : {"00 00 03 02 02 10", "00 00 03 02 02 03", "00 00 03 02 02 08"}) {
    const auto body = testkit::octets(wrong);  // a recipient's flags, its guarantee, its ids
    auto record = decode_message(view_of(body));
    ASSERT_TRUE(record);
    recipients_of(*record, false);
  }
}

}  // namespace
}  // namespace hermod::store
