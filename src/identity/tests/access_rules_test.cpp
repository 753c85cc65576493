// SPDX-License-Identifier: Apache-2.0
// Access rules as mosquitto.conf(5) and mosquitto 2.0 have them; tests/interop/access_test.py asks
// mosquitto itself.
#include "hermod/identity/access_rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hermod/base/rng.hpp"
#include "hermod/model/topic.hpp"

namespace hermod::identity {
namespace {

using core::Action;
using core::Actor;
using testing::HasSubstr;

AccessRules rules_of(std::string_view text) {
  auto reading = AccessRules::parse(text, "acl");
  for (const Complaint& error : reading.errors) ADD_FAILURE() << error.to_text();
  return std::move(reading.rules);
}

constexpr Actor kAnonymous{.client_id = "c1"};
Actor user(std::string_view name, std::string_view client = "c1") {
  return {.client_id = client, .named = true, .user = name};
}
bool reads(const AccessRules& rules, const Actor& actor, std::string_view topic) {
  return rules.allows(actor, Action::kRead, topic);
}
bool writes(const AccessRules& rules, const Actor& actor, std::string_view topic) {
  return rules.allows(actor, Action::kPublish, topic);
}

TEST(AccessRules, WhatNoLineAllowsIsForbidden) {
  for (const AccessRules& rules : {rules_of(""), rules_of("topic a\n")}) {
    EXPECT_FALSE(reads(rules, user("u"), "a"));
    EXPECT_FALSE(writes(rules, kAnonymous, "b"));
  }
}

TEST(AccessRules, EachWordAllowsWhatItSays) {
  const AccessRules rules = rules_of(
      "topic read r\ntopic write w\ntopic readwrite rw\ntopic both\ntopic deny d\ntopic all/#\n");
  const auto expect = [&](std::string_view topic, bool read, bool write) {
    EXPECT_EQ(reads(rules, kAnonymous, topic), read) << topic;
    EXPECT_EQ(writes(rules, kAnonymous, topic), write) << topic;
  };
  expect("r", true, false);
  expect("w", false, true);
  expect("rw", true, true);
  expect("both", true, true);
  expect("d", false, false);
  expect("all", true, true);
  expect("all/x/y", true, true);
}

TEST(AccessRules, SubscribingIsAlwaysAllowed) {
  EXPECT_TRUE(rules_of("topic deny #\n").allows(kAnonymous, Action::kSubscribe, "#"));
}

TEST(AccessRules, DenialsComeFirstWhereverTheyStand) {
  const AccessRules rules = rules_of("topic a/#\ntopic deny a/b\nuser u\ntopic deny x\ntopic +\n");
  EXPECT_TRUE(reads(rules, kAnonymous, "a/c"));
  EXPECT_FALSE(reads(rules, kAnonymous, "a/b"));
  EXPECT_TRUE(writes(rules, user("u"), "y"));
  EXPECT_FALSE(writes(rules, user("u"), "x"));
}

TEST(AccessRules, SectionsBelongToTheirUserAndTheFirstToThoseWithoutAName) {
  const AccessRules rules = rules_of(
      "topic general\nuser bob\ntopic bobs\nuser al ice \ntopic alices\nuser bob\n"
      "topic more\n");
  EXPECT_TRUE(reads(rules, kAnonymous, "general"));
  EXPECT_FALSE(reads(rules, kAnonymous, "bobs"));
  EXPECT_FALSE(reads(rules, user("bob"), "general"));
  EXPECT_TRUE(reads(rules, user("bob"), "bobs"));
  EXPECT_TRUE(reads(rules, user("bob"), "more"));
  EXPECT_TRUE(reads(rules, user("al ice"), "alices"));
  EXPECT_FALSE(reads(rules, user("eve"), "general"));
}

TEST(AccessRules, PatternsAreForAllAndTheOwnLinesComeFirst) {
  const AccessRules rules = rules_of(
      "pattern read %u/%c/#\npattern write shared/%c\nuser bob\ntopic deny bob/c1/secret\n"
      "topic bob/c1/open\npattern deny %u/c1/open\n");
  EXPECT_TRUE(reads(rules, user("bob"), "bob/c1/x"));
  EXPECT_FALSE(reads(rules, user("bob"), "bob/c2/x"));
  EXPECT_FALSE(reads(rules, user("bob"), "bob/c1/secret"));
  EXPECT_TRUE(reads(rules, user("bob"), "bob/c1/open"));
  EXPECT_FALSE(reads(rules, user("eve"), "eve/c1/open"));
  EXPECT_TRUE(reads(rules, user("eve", "x"), "eve/x/y"));
  EXPECT_TRUE(writes(rules, kAnonymous, "shared/c1"));
  EXPECT_FALSE(reads(rules, kAnonymous, "/c1/x"));  // a line with %u is not about him
}

TEST(AccessRules, WhoHasNoClientIdIsNotMeantByPatternsAboutIt) {
  const AccessRules rules = rules_of("pattern %c/in\npattern read open/#\n");
  const Actor peer{};
  EXPECT_FALSE(reads(rules, peer, "/in"));
  EXPECT_TRUE(reads(rules, peer, "open/x"));
}

TEST(AccessRules, NamesWithWildcardsGetNothingByPatterns) {
  const AccessRules rules = rules_of("topic t\npattern %c/#\npattern x/%u\nuser +\ntopic mine\n");
  EXPECT_FALSE(reads(rules, {.client_id = "#"}, "a"));
  EXPECT_FALSE(reads(rules, {.client_id = "a+b"}, "a+b/x"));
  EXPECT_TRUE(reads(rules, {.client_id = "#"}, "t"));
  EXPECT_FALSE(reads(rules, user("+"), "x/y"));
  EXPECT_TRUE(reads(rules, user("+"), "mine"));
}

// What is put in is not looked at again.
TEST(AccessRules, NamesArePutInOnce) {
  const AccessRules rules = rules_of("pattern %u/%c\n");
  EXPECT_TRUE(reads(rules, user("%c", "x"), "%c/x"));
  EXPECT_FALSE(reads(rules, user("%c", "x"), "x/x"));
}

TEST(AccessRules, DollarTopicsNeedADollarLineAndTheBrokersOwnAreNotWritten) {
  const AccessRules rules = rules_of("topic #\nuser u\ntopic $SYS/#\ntopic $x/#\n");
  EXPECT_FALSE(reads(rules, kAnonymous, "$SYS/a"));
  EXPECT_FALSE(writes(rules, kAnonymous, "$x/a"));
  EXPECT_TRUE(reads(rules, user("u"), "$SYS/a"));
  EXPECT_FALSE(writes(rules, user("u"), "$SYS/a"));
  EXPECT_TRUE(writes(rules, user("u"), "$SYS/broker/connection/b/state"));
  EXPECT_TRUE(writes(rules, user("u"), "$x/a"));
  EXPECT_FALSE(reads(rules, user("u"), "x/a"));
}

// --- grammar ---

std::vector<std::string> errors_of(std::string_view text) {
  std::vector<std::string> all;
  for (const Complaint& error : AccessRules::parse(text, "acl").errors) {
    all.push_back(error.to_text());
  }
  return all;
}

TEST(AccessRulesGrammar, BlanksAroundAndBetweenWordsDoNotCount) {
  const AccessRules rules =
      rules_of("   topic   read    a b  \t\r\n\n \t \n# c\n  user   bob  \ntopic\x20x\n");
  EXPECT_TRUE(reads(rules, kAnonymous, "a b"));
  EXPECT_TRUE(reads(rules, user("bob"), "x"));
  EXPECT_EQ(rules.size(), 2u);
}

TEST(AccessRulesGrammar, AnAccessWordAloneIsATopic) {
  const AccessRules rules = rules_of("topic read\ntopic deny\n");
  EXPECT_TRUE(writes(rules, kAnonymous, "read"));
  EXPECT_TRUE(reads(rules, kAnonymous, "deny"));
}

TEST(AccessRulesGrammar, EveryWrongLineIsNamed) {
  struct Row {
    std::string_view line;
    std::string_view says;
  };
  constexpr Row kRows[] = {{"topic", "needs a topic"},
                           {"pattern  ", "\"pattern\" needs a topic"},
                           {"topic bogus a", "\"bogus\" is none of read"},
                           {"bogus x", "\"bogus\" is none of user"},
                           {"TOPIC a", "none of user"},
                           {"user", "needs a name"},
                           {"\ttopic a", "not by tabs"},
                           {"topic\tread a", "not by tabs"},
                           {"topic read\ta", "a tab follows"},
                           {" # c", "at the begin of the line"},
                           {"topic a/#/b", "\"#\" must be the last level"},
                           {"topic read a#", "\"#\" must be a whole level"},
                           {"pattern a+/%c", "\"+\" must be a whole level"}};
  for (const Row& row : kRows) {
    const auto errors = errors_of(fmt::format("topic ok\n{}\n", row.line));
    ASSERT_EQ(errors.size(), 1u) << row.line;
    EXPECT_THAT(errors[0], HasSubstr("acl:2: "));
    EXPECT_THAT(errors[0], HasSubstr(std::string(row.says)));
  }
  EXPECT_EQ(errors_of("a\ntopic x\nb\n").size(), 2u);
  EXPECT_THAT(errors_of(std::string_view{"topic a\0b", 9}).at(0), HasSubstr("zero octet"));
}

TEST(AccessRulesGrammar, APatternWithoutAPlaceForNamesIsWarnedOf) {
  const auto reading = AccessRules::parse("pattern read a\npattern %c\n", "acl");
  ASSERT_EQ(reading.warnings.size(), 1u);
  EXPECT_THAT(reading.warnings[0].to_text(), HasSubstr("acl:1: the pattern \"a\""));
  EXPECT_TRUE(reads(reading.rules, user("anybody"), "a"));
}

// --- whole filters ---

TEST(AccessRulesOfFilters, AreReadableWhenOneLineCoversThemAndNoDenialTouches) {
  const AccessRules rules = rules_of(
      "topic read a/#\ntopic deny a/x\ntopic write w/#\nuser u\ntopic read b/+\npattern read %u/#\n"
      "pattern deny +/no\n");
  EXPECT_TRUE(rules.allows_reading_all(kAnonymous, "a/b/#"));
  EXPECT_TRUE(rules.allows_reading_all(kAnonymous, "a/b"));
  EXPECT_FALSE(rules.allows_reading_all(kAnonymous, "a/+"));
  EXPECT_FALSE(rules.allows_reading_all(kAnonymous, "a/#"));
  EXPECT_FALSE(rules.allows_reading_all(kAnonymous, "#"));
  EXPECT_FALSE(rules.allows_reading_all(kAnonymous, "w/a"));
  EXPECT_TRUE(rules.allows_reading_all(user("u"), "b/+"));  // the own line, before the denial
  EXPECT_TRUE(rules.allows_reading_all(user("u"), "u/yes"));
  EXPECT_FALSE(rules.allows_reading_all(user("u"), "u/+"));
  EXPECT_FALSE(rules.allows_reading_all(user("v"), "u/yes"));
}

// A filter is called readable only if each topic that it matches is.
TEST(AccessRulesOfFilters, AgreeWithTheTopicsThatTheyMatch) {
  SeededRng rng{11};
  const std::vector<std::string> words{"a", "b", "$s", "+", "#", "%u", "%c"};
  const auto name = [&](std::size_t choice) {
    std::string text;
    for (std::uint64_t level = 0; level <= rng.below(3); ++level) {
      const std::string& word = words[rng.below(choice)];
      text += (level == 0 ? "" : "/") + word;
      if (word == "#") break;
    }
    return text;
  };
  std::size_t readable = 0;
  for (int round = 0; round < 3'000; ++round) {
    std::string text;
    for (std::uint64_t line = 0; line <= rng.below(5); ++line) {
      constexpr const char* kAccess[] = {"read", "write", "readwrite", "deny"};
      const bool pattern = rng.below(3) == 0;
      if (rng.below(6) == 0) text += "user b\n";
      text += fmt::format("{} {} {}\n", pattern ? "pattern" : "topic", kAccess[rng.below(4)],
                          name(pattern ? 7 : 5));
    }
    const AccessRules rules = rules_of(text);
    const Actor actor = rng.below(2) == 0 ? user("b", "a") : Actor{.client_id = "a"};
    const std::string filter = name(5);
    if (!rules.allows_reading_all(actor, filter)) continue;
    ++readable;
    for (int topics = 0; topics < 50; ++topics) {
      const std::string topic = name(3);
      if (!model::matches(filter, topic)) continue;
      EXPECT_TRUE(reads(rules, actor, topic)) << text << filter << " " << topic;
    }
  }
  EXPECT_GT(readable, 100u);
}

}  // namespace
}  // namespace hermod::identity
