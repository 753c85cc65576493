// SPDX-License-Identifier: Apache-2.0
#include "hermod/identity/file_authorizer.hpp"

#include <gtest/gtest.h>

#include <semaphore>

namespace hermod::identity {
namespace {

using core::Action;
using core::Actor;
using core::Verdict;
using model::Reason;

Users users_of(std::initializer_list<std::pair<std::string_view, std::string_view>> all) {
  std::string text;
  for (const auto& [name, password] : all) {
    text = with_user(text, name, *hash_password(as_bytes(password), HashKind::kPbkdf2Sha512, 2));
  }
  return *Users::parse(text, "pw");
}
AccessRules rules_in(std::string_view text) {
  return AccessRules::parse(text, "acl").rules;
}

/// An authorizer whose answers a test waits for.
class Door {
 public:
  explicit Door(Record record, bool allow_anonymous = false, HashingPool::Limits limits = {})
      : pool_(limits),
        directory(std::make_shared<Directory>(std::move(record))),
        authorizer({.directory = directory,
                    .pool = &pool_,
                    .allow_anonymous = allow_anonymous,
                    .hash_key = 5,
                    .wake = [this] { woken_.release(); }}) {}

  [[nodiscard]] std::optional<core::Login> ask(std::string_view user, std::string_view password) {
    return authorizer.authenticate(
        {.client_id = "c", .given = true, .username = user, .password = as_bytes(password)}, 7);
  }
  /// What comes at once or later.
  [[nodiscard]] core::Login answer(std::string_view user, std::string_view password) {
    if (const auto login = ask(user, password)) return *login;
    EXPECT_TRUE(woken_.try_acquire_for(std::chrono::seconds{20}));
    EXPECT_TRUE(authorizer.has_news());
    const auto login = authorizer.next_login();
    EXPECT_TRUE(login);
    EXPECT_FALSE(authorizer.next_login());
    EXPECT_FALSE(authorizer.has_news());
    return login.value_or(core::Login{});
  }

 private:
  std::counting_semaphore<> woken_{0};
  HashingPool pool_;

 public:
  std::shared_ptr<Directory> directory;
  FileAuthorizer authorizer;
};

TEST(FileAuthorizer, OnlyTheRightPasswordOfAUserComesIn) {
  Door door{{.users = users_of({{"bob", "b"}, {"eve", "e"}})}};
  const core::Login good = door.answer("bob", "b");
  EXPECT_EQ(good.reason, Reason::kOk);
  EXPECT_EQ(good.ticket, 7u);
  EXPECT_TRUE(good.named);
  EXPECT_EQ(door.answer("bob", "e").reason, Reason::kBadCredentials);
  EXPECT_EQ(door.answer("bob", "").reason, Reason::kBadCredentials);
  EXPECT_EQ(door.answer("Bob", "b").reason, Reason::kBadCredentials);
}

// An unknown name is refused as late as a wrong password, also when the decoy's own was guessed.
TEST(FileAuthorizer, UnknownNamesAreHashedToo) {
  Door unhurried{{.users = users_of({{"bob", "b"}})}, false, {.threads = 0}};
  EXPECT_FALSE(unhurried.ask("nobody", "b"));
  Door door{{.users = users_of({{"bob", "b"}})}};
  EXPECT_EQ(door.answer("nobody", "b").reason, Reason::kBadCredentials);
}

TEST(FileAuthorizer, WhoPresentsNothingComesInWhereThatIsAllowed) {
  for (const bool allowed : {false, true}) {
    Door door{{.users = users_of({{"bob", "b"}})}, allowed};
    const auto login = door.authorizer.authenticate({.client_id = "c"}, 1);
    ASSERT_TRUE(login);
    EXPECT_EQ(login->reason, allowed ? Reason::kOk : Reason::kNotAuthorized);
    EXPECT_FALSE(login->named);
  }
}

TEST(FileAuthorizer, WithoutUsersInTheFileNobodyWithANameComesIn) {
  Door door{{.users = Users{}}, true};
  EXPECT_EQ(door.answer("bob", "b").reason, Reason::kBadCredentials);
}

TEST(FileAuthorizer, WithoutAPasswordFileNamesAreTakenAsTheyAre) {
  Door open{{.rules = rules_in("user bob\ntopic a\n")}, true};
  const core::Login login = open.answer("bob", "anything");
  EXPECT_EQ(login.reason, Reason::kOk);
  EXPECT_TRUE(login.named);
  Door closed{{.rules = rules_in("user bob\ntopic a\n")}, false};
  EXPECT_EQ(closed.answer("bob", "x").reason, Reason::kNotAuthorized);
}

TEST(FileAuthorizer, BeyondThePoolsLimitLoginsAreUnavailable) {
  Door door{{.users = users_of({{"bob", "b"}})}, false, {.threads = 0, .jobs_max = 2}};
  EXPECT_FALSE(door.ask("bob", "b"));
  EXPECT_FALSE(door.ask("bob", "b"));
  EXPECT_EQ(door.ask("bob", "b")->reason, Reason::kUnavailable);
  door.authorizer.cancel(7);
  EXPECT_FALSE(door.ask("bob", "b"));
}

TEST(FileAuthorizer, RulesDecideAndAreRemembered) {
  Door door{{.rules = rules_in("topic read r\nuser bob\ntopic write r\ntopic x/#\n")}, true};
  FileAuthorizer& authorizer = door.authorizer;
  EXPECT_TRUE(authorizer.has_rules());
  const Actor nobody{.client_id = "c"};
  const Actor bob{.client_id = "c", .named = true, .user = "bob"};
  const std::string longest = "x/" + std::string(1'000, 'y');
  for (int round = 0; round < 2; ++round) {  // decided, then remembered
    EXPECT_EQ(authorizer.authorize(nobody, Action::kRead, "r"), Verdict::kAllow);
    EXPECT_EQ(authorizer.authorize(nobody, Action::kPublish, "r"), Verdict::kDeny);
    EXPECT_EQ(authorizer.authorize(bob, Action::kRead, "r"), Verdict::kDeny);
    EXPECT_EQ(authorizer.authorize(bob, Action::kPublish, "r"), Verdict::kAllow);
    EXPECT_EQ(authorizer.authorize(bob, Action::kPublish, longest), Verdict::kAllow);
    EXPECT_EQ(authorizer.authorize(nobody, Action::kPublish, longest), Verdict::kDeny);
    EXPECT_EQ(authorizer.authorize(nobody, Action::kSubscribe, "#"), Verdict::kAllow);
  }
  EXPECT_TRUE(authorizer.may_read_all(nobody, "r"));
  EXPECT_FALSE(authorizer.may_read_all(bob, "r"));
}

TEST(FileAuthorizer, ThousandsOfTopicsAreAllDecidedRightly) {
  Door door{{.rules = rules_in("topic even/+\n")}, true};
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 5'000; ++i) {
      const std::string topic = fmt::format("{}/{}", i % 2 == 0 ? "even" : "odd", i);
      EXPECT_EQ(door.authorizer.authorize({.client_id = "c"}, Action::kRead, topic),
                i % 2 == 0 ? Verdict::kAllow : Verdict::kDeny);
    }
  }
}

TEST(FileAuthorizer, WithoutRulesEverythingIsAllowed) {
  Door door{{.users = users_of({{"bob", "b"}})}};
  EXPECT_FALSE(door.authorizer.has_rules());
  const Actor bob{.named = true, .user = "bob"};
  EXPECT_EQ(door.authorizer.authorize(bob, Action::kRead, "a"), Verdict::kAllow);
  EXPECT_TRUE(door.authorizer.may_read_all({}, "#"));
}

TEST(FileAuthorizer, WhoHasNoNameMayDoNothingWhereNamesAreNeeded) {
  Door door{{.users = users_of({{"bob", "b"}}), .rules = rules_in("topic #\n")}};
  for (const Action action : {Action::kPublish, Action::kSubscribe, Action::kRead}) {
    EXPECT_EQ(door.authorizer.authorize({}, action, "a"), Verdict::kDeny);
  }
}

TEST(FileAuthorizer, ChangesCountFromWhenTheyAreTaken) {
  Door door{{.users = users_of({{"bob", "b"}, {"eve", "e"}}), .rules = rules_in("topic a\n")},
            true};
  const std::uint64_t bob = door.answer("bob", "b").proof;
  const std::uint64_t eve = door.answer("eve", "e").proof;
  const Actor nobody{.client_id = "c"};
  EXPECT_EQ(door.authorizer.authorize(nobody, Action::kRead, "a"), Verdict::kAllow);
  EXPECT_FALSE(door.authorizer.take_changes());

  Record next = *door.directory->record();
  const std::string text = with_user("", "bob", *next.users->find("bob"));
  next.users = *Users::parse(text, "pw");
  next.rules = rules_in("topic b\n");
  door.directory->replace(std::move(next));
  EXPECT_EQ(door.authorizer.authorize(nobody, Action::kRead, "a"), Verdict::kAllow);
  EXPECT_TRUE(door.authorizer.has_news());
  EXPECT_TRUE(door.authorizer.take_changes());
  EXPECT_FALSE(door.authorizer.has_news());
  EXPECT_EQ(door.authorizer.authorize(nobody, Action::kRead, "a"), Verdict::kDeny);
  EXPECT_EQ(door.authorizer.authorize(nobody, Action::kRead, "b"), Verdict::kAllow);
  EXPECT_TRUE(door.authorizer.still_valid({.named = true, .user = "bob"}, bob));
  EXPECT_FALSE(door.authorizer.still_valid({.named = true, .user = "bob"}, bob + 1));
  EXPECT_FALSE(door.authorizer.still_valid({.named = true, .user = "eve"}, eve));
  EXPECT_TRUE(door.authorizer.still_valid(nobody, 0));
}

TEST(FileAuthorizer, AChangedPasswordIsNoLongerValid) {
  Door door{{.users = users_of({{"bob", "b"}})}};
  const std::uint64_t proof = door.answer("bob", "b").proof;
  door.directory->replace({.users = users_of({{"bob", "new"}})});
  ASSERT_TRUE(door.authorizer.take_changes());
  EXPECT_FALSE(door.authorizer.still_valid({.named = true, .user = "bob"}, proof));
  EXPECT_EQ(door.answer("bob", "b").reason, Reason::kBadCredentials);
  EXPECT_EQ(door.answer("bob", "new").reason, Reason::kOk);
}

}  // namespace
}  // namespace hermod::identity
