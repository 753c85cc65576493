// SPDX-License-Identifier: Apache-2.0
#include "hermod/model/message.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "hermod/base/output.hpp"
#include "hermod/testkit/allocations.hpp"

namespace hermod::model {
namespace {

// Everything a message can say, in memory that wipe() destroys.
struct Source {
  std::string topic = "kitchen/temperature";
  std::string key = "routing.key";
  std::string payload = "34.5";
  std::string content_type = "text/plain";
  std::string reply_to = "answers/7";
  std::string correlation = "\x01\x02\x03";
  std::string message_id = "m-1";
  std::string etag = "\xfe\xff";
  std::string names = "unit";
  std::string text = "celsius";
  std::string octets = "\x80\x81";
  std::vector<UserProperty> user;
  Properties properties;

  Message message() {
    user = {{names, std::string_view{text}},
            {names, std::int64_t{-7}},  // a name may come again: MQTT 5 §3.3.2.3.7
            {"ratio", 0.25},
            {"valid", true},
            {"raw", as_bytes(octets)},
            {"", std::string_view{}}};
    properties = {.content_type = content_type,
                  .reply_to = reply_to,
                  .correlation = as_bytes(correlation),
                  .message_id = message_id,
                  .etag = as_bytes(etag),
                  .timestamp_ms = 1'700'000'000'123,
                  .priority = 9,
                  .text = true,
                  .user = user};
    return {.destination = {Destination::Kind::kExchange, topic, key},
            .payload = as_bytes(payload),
            .properties = &properties,
            .guarantee = Guarantee::kExactlyOnce,
            .retain = true,
            .origin = {.protocol = 3, .shard = 2, .connection = 77},
            .version = 4711,
            .expires_at = Instant{Duration{99}}};
  }
  void wipe() {
    for (std::string* text_of : {&topic, &key, &payload, &content_type, &reply_to, &correlation,
                                 &message_id, &etag, &names, &text, &octets}) {
      text_of->assign(text_of->size(), '?');
    }
    user.clear();
    properties = {};
  }
};

void expect_everything(const Message& message, std::string_view payload) {
  EXPECT_EQ(message.destination.kind, Destination::Kind::kExchange);
  EXPECT_EQ(message.destination.address, "kitchen/temperature");
  EXPECT_EQ(message.destination.routing_key, "routing.key");
  EXPECT_EQ(as_text(message.payload), payload);
  EXPECT_EQ(message.guarantee, Guarantee::kExactlyOnce);
  EXPECT_TRUE(message.retain);
  EXPECT_EQ(message.origin.protocol, 3);
  EXPECT_EQ(message.origin.shard, 2);
  EXPECT_EQ(message.origin.connection, 77u);
  EXPECT_EQ(message.version, 4711u);
  EXPECT_EQ(message.expires_at, Instant{Duration{99}});
  ASSERT_NE(message.properties, nullptr);
  const Properties& p = *message.properties;
  EXPECT_EQ(p.content_type, "text/plain");
  EXPECT_EQ(p.reply_to, "answers/7");
  EXPECT_EQ(as_text(p.correlation), "\x01\x02\x03");
  EXPECT_EQ(p.message_id, "m-1");
  EXPECT_EQ(as_text(p.etag), "\xfe\xff");
  EXPECT_EQ(p.timestamp_ms, 1'700'000'000'123);
  EXPECT_EQ(p.priority, 9);
  EXPECT_TRUE(p.text);
  ASSERT_EQ(p.user.size(), 6u);
  EXPECT_EQ(p.user[0].name, "unit");
  EXPECT_EQ(std::get<std::string_view>(p.user[0].value), "celsius");
  EXPECT_EQ(p.user[1].name, "unit");
  EXPECT_EQ(std::get<std::int64_t>(p.user[1].value), -7);
  EXPECT_EQ(p.user[2].name, "ratio");
  EXPECT_EQ(std::get<double>(p.user[2].value), 0.25);
  EXPECT_EQ(p.user[3].name, "valid");
  EXPECT_TRUE(std::get<bool>(p.user[3].value));
  EXPECT_EQ(p.user[4].name, "raw");
  EXPECT_EQ(as_text(std::get<Bytes>(p.user[4].value)), "\x80\x81");
  EXPECT_EQ(p.user[5].name, "");
  EXPECT_EQ(std::get<std::string_view>(p.user[5].value), "");
}

TEST(Message, AnOwnedCopyHoldsEverythingByItself) {
  Source source;
  const MessageRef copy = source.message().own();
  source.wipe();
  expect_everything(*copy, "34.5");
}

TEST(Message, ACopyOfACopyHoldsEverythingByItself) {
  MessageRef second;
  {
    Source source;
    const MessageRef first = source.message().own();
    Message view = *first;
    view.owner = nullptr;
    second = view.own();
    EXPECT_NE(second.get(), first.get());
  }
  expect_everything(*second, "34.5");
}

TEST(Message, WhatIsThereAndEmptyStaysApartFromWhatIsNotThere) {
  const std::string empty;
  Properties properties{.content_type = empty, .correlation = Bytes{as_bytes("x")}.first(0)};
  Message message{.destination = Destination::topic("t"), .properties = &properties};
  const MessageRef copy = message.own();
  EXPECT_NE(copy->properties->content_type.data(), nullptr);
  EXPECT_NE(copy->properties->correlation.data(), nullptr);
  EXPECT_EQ(copy->properties->reply_to.data(), nullptr);
  EXPECT_EQ(copy->properties->etag.data(), nullptr);
  EXPECT_TRUE(copy->properties->content_type.empty());
}

TEST(Message, WithoutPropertiesTheCopyHasNone) {
  std::string topic = "a/b";
  std::string payload = "x";
  Message message{.destination = Destination::topic(topic), .payload = as_bytes(payload)};
  const MessageRef copy = message.own();
  topic = payload = "?";
  EXPECT_EQ(copy->destination.address, "a/b");
  EXPECT_EQ(copy->destination.kind, Destination::Kind::kTopic);
  EXPECT_EQ(as_text(copy->payload), "x");
  EXPECT_EQ(copy->properties, nullptr);
}

TEST(Message, OwningACopyOnlyCounts) {
  const MessageRef first = Message{.destination = Destination::topic("t")}.own();
  const MessageRef second = first->own();
  EXPECT_EQ(second.get(), first.get());
  EXPECT_EQ(second->owner, first.get());
}

TEST(Message, ASmallCopyIsOneAllocationOrTheMemoryOfAnOlderOne) {
  Source source;
  const Message message = source.message();
  const std::size_t before = testkit::allocation_count();
  const MessageRef copy = message.own();
  EXPECT_LE(testkit::allocation_count() - before, 1u);
  EXPECT_FALSE(copy.get()->shared_payload());
}

TEST(Message, ALargePayloadIsSharedAndCopiedOnce) {
  Source source;
  source.payload.assign(Output::kShareFrom, 'p');
  const MessageRef copy = source.message().own();
  source.wipe();
  const std::string expected(Output::kShareFrom, 'p');
  expect_everything(*copy, expected);
  ASSERT_TRUE(copy.get()->shared_payload());
  EXPECT_EQ(copy->payload.data(), copy.get()->shared_payload().bytes().data());

  // Another copy, with a topic of its own, refers to the same octets.
  Message renamed = *copy;
  renamed.destination.address = "elsewhere";
  const MessageRef other = OwnedMessage::copy_of(renamed);
  EXPECT_EQ(other->payload.data(), copy->payload.data());
  EXPECT_EQ(other->destination.address, "elsewhere");
}

TEST(Message, JustBelowTheThresholdThePayloadLiesBesideTheTopic) {
  const std::string payload(Output::kShareFrom - 1, 'p');
  const MessageRef copy =
      Message{.destination = Destination::topic("t"), .payload = as_bytes(payload)}.own();
  EXPECT_FALSE(copy.get()->shared_payload());
  EXPECT_EQ(as_text(copy->payload), payload);
}

TEST(Message, AGivenPayloadIsReferredToWhateverItsSize) {
  const SharedBytes given = SharedBytes::copy_of(as_bytes("tiny"));
  const MessageRef copy = OwnedMessage::copy_of({.destination = Destination::topic("t")}, given);
  EXPECT_EQ(copy->payload.data(), given.bytes().data());
  EXPECT_EQ(as_text(copy->payload), "tiny");
}

TEST(Message, MemoryGrowsWithEveryPartByItsSize) {
  const auto memory = [](std::string_view topic, std::string_view payload,
                         const Properties* properties) {
    return Message{.destination = Destination::topic(topic),
                   .payload = as_bytes(payload),
                   .properties = properties}
        .own()
        .get()
        ->memory();
  };
  const std::size_t bare = memory("", "", nullptr);
  EXPECT_GE(bare, sizeof(OwnedMessage));
  EXPECT_EQ(memory("12345", "", nullptr), bare + 5);
  EXPECT_EQ(memory("12345", "678", nullptr), bare + 8);
  EXPECT_EQ(memory("", std::string(5'000, 'p'), nullptr), bare + 5'000);
  const std::array user{UserProperty{"four", std::string_view{"fives"}}};
  const Properties some{.content_type = "abc", .user = user};
  EXPECT_EQ(memory("", "", &some), bare + sizeof(Properties) + sizeof(UserProperty) + 3 + 4 + 5);
}

// The end of the last reference shows in the payload, which tells its owner.
struct Home final : ForeignOwner {
  int returned = 0;
  void give_back(void*) override { ++returned; }
};

// --- MessageBlock ---

TEST(MessageBlock, ItsCopiesHoldEverythingByThemselves) {
  Source source;
  MessageBlock block;
  const MessageRef counted = source.message().own();
  const Message& kept = block.keep(*counted);
  EXPECT_EQ(kept.owner, nullptr);
  source.wipe();
  expect_everything(kept, "34.5");
}

TEST(MessageBlock, APayloadMayStayOutside) {
  Source source;
  MessageBlock block;
  const Message& kept = block.keep(source.message(), false);
  EXPECT_TRUE(kept.payload.empty());
  EXPECT_EQ(kept.destination.address, source.topic);
}

TEST(MessageBlock, CopiesStayWhereTheyAreWhileItGrows) {
  MessageBlock block;
  std::vector<const Message*> kept;
  const std::string large(200'000, 'x');
  for (int i = 0; i < 2'000; ++i) {
    const std::string topic = std::to_string(i);
    kept.push_back(&block.keep({.destination = Destination::topic(topic),
                                .payload = as_bytes(i == 1'000 ? large : topic)}));
  }
  for (int i = 0; i < 2'000; ++i) {
    EXPECT_EQ(kept[i]->destination.address, std::to_string(i));
    EXPECT_EQ(as_text(kept[i]->payload), i == 1'000 ? large : std::to_string(i));
  }
}

TEST(MessageBlock, ManySmallCopiesAreFewAllocations) {
  MessageBlock block;
  const std::size_t before = testkit::allocation_count();
  for (int i = 0; i < 256; ++i) (void)block.keep({.destination = Destination::topic("a/b")});
  EXPECT_LE(testkit::allocation_count() - before, 10u);
}

// --- MessageRef ---

TEST(MessageRef, TheLastReferenceFrees) {
  Home home;
  const std::string octets = "payload";
  {
    MessageRef first = OwnedMessage::copy_of({.destination = Destination::topic("t")},
                                             SharedBytes::foreign(as_bytes(octets), home, nullptr));
    MessageRef second = first;
    MessageRef third = std::move(first);
    EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): moved from is empty
    EXPECT_TRUE(second);
    EXPECT_EQ(second.get(), third.get());
    second = {};
    EXPECT_EQ(home.returned, 0);
    MessageRef& itself = third;
    third = itself;
    EXPECT_EQ(home.returned, 0);
    EXPECT_EQ(as_text(third->payload), "payload");
  }
  EXPECT_EQ(home.returned, 1);
}

TEST(MessageRef, AssigningLetsGoOfTheOneBefore) {
  Home home;
  MessageRef ref = OwnedMessage::copy_of({.destination = Destination::topic("t")},
                                         SharedBytes::foreign(as_bytes("x"), home, nullptr));
  ref = Message{.destination = Destination::topic("u")}.own();
  EXPECT_EQ(home.returned, 1);
  EXPECT_EQ(ref->destination.address, "u");
}

TEST(MessageRef, EmptyIsFalse) {
  const MessageRef none;
  EXPECT_FALSE(none);
  EXPECT_EQ(none.get(), nullptr);
}

}  // namespace
}  // namespace hermod::model
