// SPDX-License-Identifier: Apache-2.0
#include "hermod/core/declarations.hpp"

#include <gtest/gtest.h>

#include "core_fixture.hpp"

namespace hermod::core {
namespace {

using model::DeclareMode;
using model::Reason;
using model::TopicProperties;
using std::chrono::seconds;

Declaration wanted(TopicProperties properties, DeclareMode mode = DeclareMode::kCreate,
                   model::TopicMembers members = 0) {
  return {std::move(properties), mode, members};
}

std::vector<std::uint64_t> numbers(const std::vector<Seat>& seats) {
  std::vector<std::uint64_t> watches;
  for (const Seat& seat : seats) watches.push_back(seat.watch);
  return watches;
}

class DeclarationsTest : public testing::Test {
 protected:
  Reason declare(std::string_view topic, const Declaration& declaration, bool has_value = false) {
    return declarations.declare(topic, declaration, has_value).reason;
  }
  Reason watch(std::string_view topic, std::uint64_t number) {
    return declarations.watch(topic, {0, number}, std::nullopt).reason;
  }
  Limits limits;
  Declarations declarations{limits};
};

TEST_F(DeclarationsTest, CreatesOnce) {
  EXPECT_TRUE(declarations.empty());
  const auto made = declarations.declare("a/b", wanted({.topic_type = "t"}), false);
  ASSERT_EQ(made.reason, Reason::kOk);
  EXPECT_EQ(made.properties->topic_type, "t");
  EXPECT_EQ(declarations.find("a/b"), made.properties);
  EXPECT_EQ(declarations.find("a"), nullptr);
  EXPECT_EQ(declare("a/b", wanted({})), Reason::kAlreadyExists);
  EXPECT_EQ(declarations.find("a/b")->topic_type, "t");
  EXPECT_EQ(declarations.size(), 1u);
}

TEST_F(DeclarationsTest, ReplacesAndPatchesWhatIsThere) {
  for (const DeclareMode mode : {DeclareMode::kReplace, DeclareMode::kPatch}) {
    EXPECT_EQ(declare("none", wanted({}, mode)), Reason::kNotFound);
  }
  EXPECT_EQ(declare("t", wanted({.topic_type = "x", .subscribers_max = 1})), Reason::kOk);
  EXPECT_EQ(declare("t", wanted({.topic_type = "y", .observer_check_s = 9}, DeclareMode::kPatch,
                                model::topic_member::kObserverCheck)),
            Reason::kOk);
  EXPECT_EQ(*declarations.find("t"), (TopicProperties{
                                         .topic_type = "x",
                                         .subscribers_max = 1,
                                         .observer_check_s = 9,
                                     }));
  EXPECT_EQ(declare("t", wanted({.content_type = "c"}, DeclareMode::kReplace)), Reason::kOk);
  EXPECT_EQ(*declarations.find("t"), TopicProperties{.content_type = "c"});
}

TEST_F(DeclarationsTest, AValueAloneBecomesDeclared) {
  EXPECT_EQ(declare("r", wanted({.topic_type = "x"}, DeclareMode::kReplace), true), Reason::kOk);
  EXPECT_EQ(declare("p", wanted({.topic_type = "x"}, DeclareMode::kPatch, 0), true), Reason::kOk);
  EXPECT_EQ(declarations.find("r")->topic_type, "x");
  EXPECT_EQ(*declarations.find("p"), TopicProperties{});
}

TEST_F(DeclarationsTest, NamesAreTopicsOfClients) {
  for (const std::string_view bad : {"", "$SYS/x", "$", "a/+", "#", "a/#", "a+"}) {
    EXPECT_EQ(declare(bad, wanted({}), true), Reason::kBadName) << bad;
  }
  EXPECT_TRUE(declarations.empty());
  for (const std::string_view good : {"/", "a/$b", "a//b", "a b"}) {
    EXPECT_EQ(declare(good, wanted({})), Reason::kOk) << good;
  }
}

TEST_F(DeclarationsTest, declared_topics_max) {
  limits.declared_topics_max = 2;
  EXPECT_EQ(declare("a", wanted({})), Reason::kOk);
  EXPECT_EQ(declare("b", wanted({})), Reason::kOk);
  EXPECT_EQ(declare("c", wanted({})), Reason::kQuotaExceeded);
  EXPECT_EQ(declare("b", wanted({.topic_type = "x"}, DeclareMode::kReplace)), Reason::kOk);
  EXPECT_TRUE(declarations.undeclare("a"));
  EXPECT_EQ(declare("c", wanted({})), Reason::kOk);
}

TEST_F(DeclarationsTest, declared_bytes_max) {
  EXPECT_EQ(declare("a", wanted({})), Reason::kOk);
  limits.declared_bytes_max = declarations.bytes() + 10;
  EXPECT_EQ(declare("b", wanted({})), Reason::kQuotaExceeded);
  EXPECT_EQ(declare("a", wanted({.topic_type = "12345678901"}, DeclareMode::kReplace)),
            Reason::kQuotaExceeded);
  EXPECT_EQ(*declarations.find("a"), TopicProperties{});
  EXPECT_EQ(declare("a", wanted({.topic_type = "1234567890"}, DeclareMode::kReplace)), Reason::kOk);
  EXPECT_EQ(declarations.bytes(), limits.declared_bytes_max);
  EXPECT_TRUE(declarations.undeclare("a"));
  EXPECT_EQ(declarations.bytes(), 0u);
}

TEST_F(DeclarationsTest, declared_text_max) {
  limits.declared_text_max = 20;
  const std::string long_text(21, 'x');
  EXPECT_EQ(declare("a", wanted({.resource_type = long_text})), Reason::kTooLarge);
  EXPECT_EQ(declare("a", wanted({.content_type = long_text})), Reason::kTooLarge);
  EXPECT_EQ(declare("a", wanted({.topic_type = long_text})), Reason::kTooLarge);
  EXPECT_TRUE(declarations.empty());
  EXPECT_EQ(declare("a", wanted({.topic_type = long_text.substr(1)})), Reason::kOk);
}

TEST_F(DeclarationsTest, SeatsAreForDeclaredTopicsAndLimited) {
  EXPECT_EQ(watch("t", 1), Reason::kNotFound);
  EXPECT_EQ(declare("t", wanted({.subscribers_max = 2})), Reason::kOk);
  EXPECT_EQ(watch("t", 1), Reason::kOk);
  EXPECT_EQ(watch("t", 2), Reason::kOk);
  EXPECT_EQ(watch("t", 3), Reason::kQuotaExceeded);
  declarations.unwatch("t", {1, 1});  // another shard's
  EXPECT_EQ(watch("t", 3), Reason::kQuotaExceeded);
  declarations.unwatch("t", {0, 1});
  EXPECT_EQ(watch("t", 3), Reason::kOk);
  EXPECT_EQ(declarations.seats("t"), 2u);
}

TEST_F(DeclarationsTest, ASeatIsHandedOnAtItsPlace) {
  EXPECT_EQ(declare("t", wanted({.subscribers_max = 2})), Reason::kOk);
  EXPECT_EQ(watch("t", 1), Reason::kOk);
  EXPECT_EQ(watch("t", 2), Reason::kOk);
  EXPECT_EQ(declarations.watch("t", {0, 3}, Seat{0, 1}).reason, Reason::kOk);
  const auto fewer =
      declarations.declare("t", wanted({.subscribers_max = 1}, DeclareMode::kPatch, 0xFF), false);
  EXPECT_EQ(numbers(fewer.lost), std::vector<std::uint64_t>{2});
  EXPECT_EQ(numbers(fewer.told), std::vector<std::uint64_t>{3});
  EXPECT_EQ(declarations.watch("t", {0, 4}, Seat{0, 2}).reason, Reason::kQuotaExceeded);
}

TEST_F(DeclarationsTest, TheNewestSeatsGoFirst) {
  EXPECT_EQ(declare("t", wanted({})), Reason::kOk);
  for (std::uint64_t number = 1; number <= 5; ++number) EXPECT_EQ(watch("t", number), Reason::kOk);
  const auto fewer =
      declarations.declare("t", wanted({.subscribers_max = 2}, DeclareMode::kReplace), false);
  EXPECT_EQ(numbers(fewer.lost), (std::vector<std::uint64_t>{5, 4, 3}));
  EXPECT_EQ(numbers(fewer.told), (std::vector<std::uint64_t>{1, 2}));
  const auto same =
      declarations.declare("t", wanted({.subscribers_max = 2}, DeclareMode::kReplace), false);
  EXPECT_EQ(same.reason, Reason::kOk);
  EXPECT_TRUE(same.told.empty());  // nothing has changed
  EXPECT_EQ(numbers(*declarations.undeclare("t")), (std::vector<std::uint64_t>{1, 2}));
  EXPECT_FALSE(declarations.undeclare("t"));
}

TEST_F(DeclarationsTest, NextDayIsTheFirstOfAll) {
  EXPECT_FALSE(declarations.next_day());
  EXPECT_EQ(declare("b", wanted({.expires_at_s = 200})), Reason::kOk);
  EXPECT_EQ(declare("a", wanted({.expires_at_s = 100})), Reason::kOk);
  EXPECT_EQ(declarations.next_day()->topic, "a");
  EXPECT_EQ(declare("a", wanted({.expires_at_s = 300}, DeclareMode::kReplace)), Reason::kOk);
  EXPECT_EQ(declarations.next_day()->at_s, 200);
  EXPECT_TRUE(declarations.undeclare("b"));
  EXPECT_EQ(declarations.next_day()->at_s, 300);
  EXPECT_EQ(declare("a", wanted({}, DeclareMode::kReplace)), Reason::kOk);
  EXPECT_FALSE(declarations.next_day());
}

class DeclaredInCore : public CoreFixture {
 protected:
  void declare(std::string_view topic, TopicProperties properties) {
    EXPECT_EQ(core.declarations().declare(topic, wanted(std::move(properties)), false).reason,
              Reason::kOk);
  }
};

TEST_F(DeclaredInCore, UndeclareClearsTheValueForAll) {
  subscribe(attach("s", 1), "t/#");
  declare("t/a", {});
  send("t/a", "1", Guarantee::kAtMostOnce, true);
  EXPECT_EQ(core.undeclare("t/a", now).reason, Reason::kOk);
  EXPECT_EQ(outlet.take(1), "1/0 /0 ");
  EXPECT_EQ(core.retained().size(), 0u);
  EXPECT_EQ(core.undeclare("t/a", now).reason, Reason::kNotFound);
  EXPECT_EQ(outlet.take(1), "");
  send("t/b", "2", Guarantee::kAtMostOnce, true);  // a value alone
  EXPECT_EQ(core.undeclare("t/b", now).reason, Reason::kOk);
  EXPECT_EQ(outlet.take(1), "2/0 /0 ");
  declare("t/c", {});  // a declaration alone
  EXPECT_EQ(core.undeclare("t/c", now).reason, Reason::kOk);
  EXPECT_EQ(outlet.take(1), "/0 ");
}

TEST_F(DeclaredInCore, DaysComeByTheCalendar) {
  const Duration today = seconds{1'000};
  EXPECT_EQ(core.next_undeclaring(now, today), kNever);
  declare("far", {.expires_at_s = INT64_MAX});
  EXPECT_EQ(core.next_undeclaring(now, today), now + Core::kCalendarTrust);
  declare("near", {.expires_at_s = 1'010});
  EXPECT_EQ(core.next_undeclaring(now, today), now + seconds{10});
  EXPECT_EQ(core.next_undeclaring(now, today + Duration{1}), now + seconds{10} - Duration{1});
  EXPECT_FALSE(core.due_to_undeclare(seconds{1'010} - Duration{1}));
  EXPECT_EQ(core.due_to_undeclare(seconds{1'010}), "near");
  EXPECT_EQ(core.next_undeclaring(now, seconds{2'000}), now);  // the calendar has been set
  declare("before", {.expires_at_s = INT64_MIN});
  EXPECT_EQ(core.due_to_undeclare(today), "before");
}

}  // namespace
}  // namespace hermod::core
