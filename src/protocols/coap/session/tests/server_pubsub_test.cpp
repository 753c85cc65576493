// SPDX-License-Identifier: Apache-2.0
// The collection of topics and their configurations (draft-ietf-core-coap-pubsub-21) through a
// server session, as scripts.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "hermod/coap/session/server_session.hpp"
#include "hermod/coap/session/topic_convert.hpp"
#include "script.hpp"

namespace hermod::coap::test {
namespace {

using std::chrono::seconds;
using enum model::Reason;

constexpr std::uint32_t kPubSub = 606;

std::string cbor_of(const PropertySet& properties) {
  std::string out;
  cbor::Writer writer(out);
  write_properties(writer, properties);
  return out;
}

class ServerPubSubTest : public ::testing::Test {
 protected:
  ServerPubSubTest() {
    // What is sent here is more than three times what comes: the peer confirms something first.
    peer.proves_itself();
  }
  void answers_page(const std::vector<model::TopicEntry>& topics, std::string_view next = "") {
    const session::TopicPage page{.topics = topics, .next = next};
    peer.answers(0, session::Answer{.page = &page});
  }
  void answers_declared(const model::TopicProperties& declared, const model::Message* value,
                        std::size_t n = 0) {
    peer.answers(n, session::Answer{.reason = value == nullptr ? kNotFound : kOk,
                                    .value = value,
                                    .declared = &declared});
  }
  // What the last datagram carries, and its options as text.
  std::string payload() {
    const auto message = decode(peer.wire.sent.back()).value();
    return std::string(as_text(message.payload));
  }
  void observes_declared(const model::TopicProperties& declared) {
    const model::Message value = value_of("a", "1", 1);
    peer.sends({.id = 1, .observe = 0});
    ASSERT_EQ(peer.wants(), "Attach");
    peer.answers(0, kOk);
    ASSERT_EQ(peer.wants(), "Subscribe a");
    peer.answers(0, kOk);
    ASSERT_EQ(peer.wants(), "Lookup a");
    answers_declared(declared, &value);
    ASSERT_EQ(peer.wants(), "Watch a");
  }

  Settings settings;
  session::SessionLimits limits;
  SeededRng rng{1};
  ServerSession session{settings, {.limits = &limits, .rng = &rng}};
  Script peer{session};
  std::uint16_t id = 10;
};

// --- the collection ---

TEST_F(ServerPubSubTest, TheCollectionListsConfigurations) {
  peer.sends({.id = 1, .path = "/ps"});
  EXPECT_EQ(peer.wants(), "List # after ''");
  answers_page({{.topic = "a/b"}}, "a/b");
  EXPECT_EQ(peer.wants(), "List # after 'a/b'");
  answers_page({{.topic = "c d", .has_value = true}});
  EXPECT_EQ(peer.sent(), "ACK 2.05 #1 t:t Content-Format:40 '</ps/conf/a/b>,</ps/conf/c%20d>'");
}

// §2.3.4: every collection supports this query.
TEST_F(ServerPubSubTest, TheCollectionListsData) {
  peer.sends({.id = 1, .path = "/ps?rt=core.ps.data"});
  EXPECT_EQ(peer.wants(), "List # after ''");
  answers_page(
      {{.topic = "half", .declared = model::TopicProperties{}}, {.topic = "a", .has_value = true}});
  EXPECT_EQ(peer.sent(), "ACK 2.05 #1 t:t Content-Format:40 '</ps/data/a>'");
}

TEST_F(ServerPubSubTest, DiscoveryShowsLiveTopicsAndFilters) {
  const std::vector<model::TopicEntry> topics{
      {.topic = "a", .has_value = true, .content_type = "application/json", .value_bytes = 12},
      {.topic = "b", .declared = model::TopicProperties{}}};
  const auto discovers = [&](std::string_view query) {
    peer.sends({.id = ++id, .path = "/.well-known/core" + std::string(query)});
    EXPECT_EQ(peer.wants(), "List # after ''");
    answers_page(topics);
    std::string links = payload();
    (void)peer.sent();
    return links;
  };
  const std::string collection = "</ps>;rt=\"core.ps core.ps.coll\";ct=40";
  const std::string data = "</ps/data/a>;rt=\"core.ps.data\";obs;sz=12;ct=50";
  const std::string configuration = "</ps/conf/b>;rt=\"core.ps.conf\";ct=606";
  EXPECT_EQ(discovers(""), collection + "," + data + "," + configuration);
  EXPECT_EQ(discovers("?rt=core.ps"), collection);  // the broker
  EXPECT_EQ(discovers("?rt=core.ps.conf"), configuration);
  EXPECT_EQ(discovers("?href=/ps/data/*"), data);
  EXPECT_EQ(discovers("?ct=50&obs"), data);
  EXPECT_EQ(discovers("?rt=nothing"), "");
}

TEST_F(ServerPubSubTest, ListsComeInPages) {
  const std::vector<model::TopicEntry> topics{{.topic = "a"}, {.topic = "b"}, {.topic = "c"}};
  const auto lists = [&](std::string_view query) {
    peer.sends({.id = ++id, .path = "/ps" + std::string(query)});
    EXPECT_EQ(peer.wants(), "List # after ''");
    answers_page(topics);
    std::string links = payload();
    (void)peer.sent();
    return links;
  };
  EXPECT_EQ(lists("?count=2"), "</ps/conf/a>,</ps/conf/b>,</ps?page=1&count=2>;rel=\"next\"");
  EXPECT_EQ(lists("?page=1&count=2"), "</ps/conf/c>");
  EXPECT_EQ(lists("?page=2&count=2"), "");
  peer.sends({.id = 99, .path = "/ps?count=4097"});
  EXPECT_TRUE(peer.sent().starts_with("ACK 4.00 #99"));
}

// RFC 7959 §2.4: what was listed for the first block is what the others are of.
TEST_F(ServerPubSubTest, ALongListIsKeptForItsBlocks) {
  std::vector<model::TopicEntry> topics(100);
  for (std::size_t i = 0; i < topics.size(); ++i) topics[i].topic = std::to_string(i);
  peer.sends({.id = 1, .path = "/ps"});
  EXPECT_EQ(peer.wants(), "List # after ''");
  answers_page(topics);
  const std::string first = payload();
  EXPECT_EQ(first.size(), 1024u);
  (void)peer.sent();
  peer.sends({.id = 2, .path = "/ps", .block2 = Block{.number = 1}});
  EXPECT_EQ(peer.wants(), "");
  EXPECT_TRUE((first + payload()).ends_with("</ps/conf/99>"));
}

// §2.4.2.
TEST_F(ServerPubSubTest, FetchFindsTopicsByTheirProperties) {
  const model::TopicProperties warm{.topic_type = "temperature"};
  peer.sends({.code = code::kFetch,
              .id = 1,
              .path = "/ps",
              .format = kPubSub,
              .payload = cbor_of({.topic_type = "temperature"})});
  EXPECT_EQ(peer.wants(), "List # after ''");
  answers_page({{.topic = "a", .declared = warm}, {.topic = "b", .has_value = true}});
  EXPECT_EQ(peer.sent(), "ACK 2.05 #1 t:t Content-Format:40 '</ps/conf/a>'");
  peer.sends({.code = code::kFetch, .id = 2, .path = "/ps", .format = 50, .payload = "{}"});
  EXPECT_EQ(peer.sent(), "ACK 4.15 #2 t:t");
  peer.sends({.code = code::kFetch, .id = 3, .path = "/ps", .format = kPubSub, .payload = "x"});
  EXPECT_TRUE(peer.sent().starts_with("ACK 4.00 #3"));
}

TEST_F(ServerPubSubTest, ListsAreInTheLinkFormat) {
  for (const std::string path : {"/ps", "/.well-known/core"}) {
    peer.sends({.id = ++id, .path = path, .accept = 50});
    EXPECT_EQ(peer.sent(), fmt::format("ACK 4.06 #{} t:t", id));
    EXPECT_EQ(peer.wants(), "");
  }
}

// --- making a topic ---

TEST_F(ServerPubSubTest, PostMakesATopic) {
  const std::string body = cbor_of({.topic_name = "room/1",
                                    .resource_type = "core.ps.data",
                                    .topic_content_format = ContentFormat::kJson,
                                    .max_subscribers = 5});
  const Sends request{
      .code = code::kPost, .id = 1, .path = "/ps", .format = kPubSub, .payload = body};
  peer.sends(request);
  EXPECT_EQ(peer.wants(), "Declare room/1 create ct:application/json max:5");
  const model::TopicProperties declared{.content_type = "application/json", .subscribers_max = 5};
  peer.answers(0, session::Answer{.declared = &declared});
  const std::string created = cbor_of({.topic_name = "room/1",
                                       .topic_data = "/ps/data/room/1",
                                       .resource_type = "core.ps.data",
                                       .topic_content_format = ContentFormat::kJson,
                                       .max_subscribers = 5});
  const std::string answer =
      "ACK 2.01 #1 t:t Location-Path:'ps' Location-Path:'conf' Location-Path:'room' "
      "Location-Path:'1' Content-Format:606 '" +
      created + "'";
  EXPECT_EQ(peer.sent(), answer);
  peer.sends(request);  // a duplicate makes nothing, and has the same answer
  EXPECT_EQ(peer.sent(), answer);
  EXPECT_EQ(peer.wants(), "");
}

TEST_F(ServerPubSubTest, InitializePublishesTheFirstValue) {
  const std::string body = cbor_of({.topic_name = "a",
                                    .resource_type = "core.ps.data",
                                    .topic_content_format = ContentFormat::kCbor,
                                    .initialize = as_bytes("\x80")});
  peer.sends({.code = code::kPost, .id = 1, .path = "/ps", .format = kPubSub, .payload = body});
  EXPECT_EQ(peer.wants(), "Declare a create ct:application/cbor max:0");
  peer.answers(0, kOk);
  EXPECT_EQ(peer.wants(), "Publish a retain q1 ct:application/cbor '\x80'");
  peer.answers(0, kOk);
  EXPECT_TRUE(peer.sent().starts_with("ACK 2.01 #1 t:t Location-Path:'ps' Location-Path:'conf'"));
}

TEST_F(ServerPubSubTest, RefusesTopicsThatCannotBe) {
  const std::string_view data = "core.ps.data";
  const std::string long_name(1025, 'x');
  for (const PropertySet& properties :
       {PropertySet{.topic_name = "a"}, PropertySet{.resource_type = data},
        PropertySet{.topic_name = "", .resource_type = data},
        PropertySet{.topic_name = "a/+", .resource_type = data},
        PropertySet{.topic_name = "$SYS/a", .resource_type = data},
        PropertySet{.topic_name = "a/../b", .resource_type = data},
        PropertySet{.topic_name = long_name, .resource_type = data},
        PropertySet{.topic_name = "a", .topic_data = "/elsewhere", .resource_type = data}}) {
    peer.sends({.code = code::kPost,
                .id = ++id,
                .path = "/ps",
                .format = kPubSub,
                .payload = cbor_of(properties)});
    EXPECT_TRUE(peer.sent().starts_with(fmt::format("ACK 4.00 #{}", id)));
    EXPECT_EQ(peer.wants(), "");
  }
  peer.sends({.code = code::kPost,
              .id = 100,
              .path = "/ps",
              .payload = cbor_of({.topic_name = "a", .resource_type = data})});
  EXPECT_EQ(peer.wants(), "Declare a create ct: max:0");
  peer.answers(0, kAlreadyExists);
  EXPECT_EQ(peer.sent(), "ACK 4.00 #100 t:t 'the topic-name is in use'");
}

// --- a topic's configuration ---

TEST_F(ServerPubSubTest, ShowsATopicWholeOrInPart) {
  const model::TopicProperties declared{.topic_type = "temperature"};
  peer.sends({.id = 1, .path = "/ps/conf/a/b"});
  EXPECT_EQ(peer.wants(), "Lookup a/b");
  answers_declared(declared, nullptr);
  EXPECT_EQ(payload(), cbor_of({.topic_name = "a/b",
                                .topic_data = "/ps/data/a/b",
                                .resource_type = "core.ps.data",
                                .topic_type = "temperature"}));
  (void)peer.sent();
  std::string keys;
  cbor::Writer writer(keys);
  write_property_keys(writer, key_of(Property::kTopicData) | key_of(Property::kMaxSubscribers));
  peer.sends(
      {.code = code::kFetch, .id = 2, .path = "/ps/conf/a/b", .format = 60, .payload = keys});
  EXPECT_EQ(peer.wants(), "Lookup a/b");
  answers_declared(declared, nullptr);
  EXPECT_EQ(payload(), cbor_of({.topic_data = "/ps/data/a/b"}));
  (void)peer.sent();
  peer.sends({.id = 3, .path = "/ps/conf/nothing"});
  EXPECT_EQ(peer.wants(), "Lookup nothing");
  peer.answers(0, kNotFound);
  EXPECT_EQ(peer.sent(), "ACK 4.04 #3 t:t");
}

// A topic that nobody has declared has what follows from its value.
TEST_F(ServerPubSubTest, ATopicWithAValueIsThere) {
  const model::Properties properties{.content_type = "application/json"};
  model::Message value = value_of("a", "{}", 1);
  value.properties = &properties;
  peer.sends({.id = 1, .path = "/ps/conf/a"});
  EXPECT_EQ(peer.wants(), "Lookup a");
  peer.answers_value(0, value);
  EXPECT_EQ(payload(), cbor_of({.topic_name = "a",
                                .topic_data = "/ps/data/a",
                                .resource_type = "core.ps.data",
                                .topic_content_format = ContentFormat::kJson}));
}

TEST_F(ServerPubSubTest, ChangesATopic) {
  const model::TopicProperties declared{.subscribers_max = 3};
  for (const auto& [method, mode] : {std::pair{code::kPost, "replace"}, {code::kIPatch, "patch"}}) {
    peer.sends({.code = method,
                .id = ++id,
                .path = "/ps/conf/a",
                .format = kPubSub,
                .payload = cbor_of({.topic_name = "a", .max_subscribers = 3})});
    EXPECT_EQ(peer.wants(), "Lookup a");
    answers_declared(declared, nullptr);
    EXPECT_EQ(peer.wants(), fmt::format("Declare a {} ct: max:3", mode));
    peer.answers(0, session::Answer{.declared = &declared});
    EXPECT_TRUE(peer.sent().starts_with(fmt::format("ACK 2.04 #{} t:t Content-Format:606", id)));
  }
  peer.sends({.code = code::kIPatch,
              .id = 100,
              .path = "/ps/conf/a",
              .format = kPubSub,
              .payload = cbor_of({.topic_name = "b"})});
  EXPECT_EQ(peer.wants(), "Lookup a");
  answers_declared(declared, nullptr);
  EXPECT_EQ(peer.wants(), "");
  EXPECT_TRUE(peer.sent().starts_with("ACK 4.00 #100"));
}

TEST_F(ServerPubSubTest, DeleteEndsATopic) {
  peer.sends({.code = code::kDelete, .id = 1, .path = "/ps/conf/a"});
  EXPECT_EQ(peer.wants(), "Undeclare a");
  peer.answers(0, kOk);
  EXPECT_EQ(peer.sent(), "ACK 2.02 #1 t:t");
  peer.sends({.code = code::kDelete, .id = 2, .path = "/ps/conf/a"});
  EXPECT_EQ(peer.wants(), "Undeclare a");
  peer.answers(0, kNotFound);
  EXPECT_EQ(peer.sent(), "ACK 4.04 #2 t:t");
}

// --- a declared topic's data ---

// §3.2.1: 4.15 for another format; who names none has the topic's.
TEST_F(ServerPubSubTest, ADeclaredTopicHasItsFormat) {
  const model::TopicProperties declared{.content_type = "application/json"};
  peer.sends({.code = code::kPut, .id = 1, .format = 60, .payload = "x"});
  EXPECT_EQ(peer.wants(), "Lookup a");
  answers_declared(declared, nullptr);
  EXPECT_EQ(peer.sent(), "ACK 4.15 #1 t:t 'the topic has another format'");
  for (const std::optional<std::uint32_t> format : {std::optional<std::uint32_t>{50}, {}}) {
    peer.sends({.code = code::kPut, .id = ++id, .format = format, .payload = "{}"});
    EXPECT_EQ(peer.wants(), "Lookup a");
    answers_declared(declared, nullptr);
    EXPECT_EQ(peer.wants(), "Publish a retain q1 ct:application/json '{}'");
    peer.answers(0, kOk);
  }
}

// §3.1: before the first value there is nothing to read or to observe.
TEST_F(ServerPubSubTest, AHalfCreatedTopicCannotBeObserved) {
  const model::TopicProperties declared;
  observes_declared(declared);
  peer.answers(0, session::Answer{.declared = &declared});
  EXPECT_EQ(peer.wants(), "Lookup a");
  answers_declared(declared, nullptr);
  EXPECT_EQ(peer.sent(), "ACK 4.04 #1 t:t");
  EXPECT_EQ(peer.wants(), "Unwatch a | Unsubscribe a");
}

// §3.2.2: the response has no Observe option.
TEST_F(ServerPubSubTest, WhoFindsNoSeatDoesNotObserve) {
  const model::TopicProperties declared{.subscribers_max = 1};
  const model::Message value = value_of("a", "1", 1);
  observes_declared(declared);
  peer.answers(0, kQuotaExceeded);
  EXPECT_EQ(peer.wants(), "Unsubscribe a | Lookup a");
  answers_declared(declared, &value, 1);
  EXPECT_EQ(peer.sent(), "ACK 2.05 #1 t:t ETag:01 '1'");
}

// §2.5.3: fewer seats; §2.5.5: no topic any more.
TEST_F(ServerPubSubTest, WhoLosesTheSeatHears404) {
  for (const model::Reason reason : {kQuotaExceeded, kNotFound}) {
    ServerSession other{settings, {.limits = &limits, .rng = &rng}};
    Script script{other};
    const model::TopicProperties declared{.observer_check_s = 60};
    const model::Message value = value_of("a", "1", 1);
    script.sends({.id = 1, .observe = 0});
    ASSERT_EQ(script.wants(), "Attach");
    script.answers(0, kOk);
    ASSERT_EQ(script.wants(), "Subscribe a");
    script.answers(0, kOk);
    ASSERT_EQ(script.wants(), "Lookup a");
    script.answers(0, session::Answer{.value = &value, .declared = &declared});
    ASSERT_EQ(script.wants(), "Watch a");
    script.answers(0, session::Answer{.declared = &declared});
    // the ticket of the seat is answered again, so it is not asked for anew
    const session::Ticket seat = script.last_ticket();
    ASSERT_EQ(script.wants(), "Lookup a");
    script.answers(0, session::Answer{.value = &value, .declared = &declared});
    EXPECT_EQ(script.sent(), "ACK 2.05 #1 t:t ETag:01 Observe:n Max-Age:600 '1'");
    script.answers_ticket(seat, session::Answer{.reason = reason});
    EXPECT_EQ(script.sent(), "CON 4.04 #s0 t:t");
    EXPECT_EQ(script.wants(), "Unsubscribe a");
  }
}

}  // namespace
}  // namespace hermod::coap::test
