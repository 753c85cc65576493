// SPDX-License-Identifier: Apache-2.0
// Enhanced authentication as the broker asks for it: FileAuthorizer::begin_exchange().
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hermod/identity/file_authorizer.hpp"

namespace hermod::identity {
namespace {

using model::Reason;
using testing::HasSubstr;

std::string line(std::string_view user, std::string_view password,
                 HashKind kind = HashKind::kScramSha256, std::uint32_t iterations = 4'096) {
  return with_user("", user, *hash_password(as_bytes(password), kind, iterations));
}

class Scram : public testing::Test {
 protected:
  void use(const std::string& text) {
    directory->replace({.users = *Users::parse(text, "pw")});
    (void)authorizer.take_changes();
  }
  /// A whole exchange; what its last step says. Fills `challenge`.
  core::ExchangeStep log_in(const std::string& user, const std::string& password) {
    const auto exchange = authorizer.begin_exchange("SCRAM-SHA-256");
    EXPECT_TRUE(exchange);
    client.emplace(user, password, "client-nonce");
    const core::ExchangeStep asked = exchange->step(as_bytes(client->first()));
    EXPECT_EQ(asked.reason, Reason::kContinue);
    challenge = asked.octets;
    const auto answer = client->answer(challenge);
    EXPECT_TRUE(answer) << challenge;
    return exchange->step(as_bytes(answer.value_or("")));
  }
  /// Salt and iterations of the last challenge.
  [[nodiscard]] std::string asked() const { return challenge.substr(challenge.find(",s=")); }

  std::shared_ptr<Directory> directory = std::make_shared<Directory>(Record{});
  HashingPool pool{{.threads = 0}};
  FileAuthorizer authorizer{{.directory = directory, .pool = &pool, .hash_key = 5, .wake = [] {}}};
  std::optional<sasl::ScramClient> client;
  std::string challenge;
};

TEST_F(Scram, TheRightPasswordComesInAndTheServerProvesItself) {
  use(line("bob", "secret", HashKind::kScramSha256, 5'000));
  const core::ExchangeStep done = log_in("bob", "secret");
  EXPECT_EQ(done.reason, Reason::kOk) << done.why;
  EXPECT_EQ(done.user, "bob");
  EXPECT_TRUE(client->finish(done.octets));
  EXPECT_TRUE(authorizer.still_valid({.named = true, .user = "bob"}, done.proof));
  EXPECT_THAT(asked(), HasSubstr(",i=5000"));
}

TEST_F(Scram, AWrongPasswordIsRefusedInTheLastStep) {
  use(line("bob", "secret"));
  const core::ExchangeStep done = log_in("bob", "Secret");
  EXPECT_EQ(done.reason, Reason::kBadCredentials);
  EXPECT_EQ(done.octets, "");
  EXPECT_EQ(done.user, "");
}

// Salt and iterations look as a user's, stay the same, and are another's for another name.
TEST_F(Scram, NamesThatNobodyHasAreAskedLikeOthers) {
  use(line("bob", "secret", HashKind::kScramSha256, 5'000));
  const core::ExchangeStep done = log_in("nobody", "secret");
  EXPECT_EQ(done.reason, Reason::kBadCredentials);
  const std::string first = asked();
  EXPECT_EQ(log_in("nobody", "other").reason, Reason::kBadCredentials);
  EXPECT_EQ(asked(), first);
  EXPECT_EQ(log_in("nobody2", "secret").why, done.why);
  EXPECT_NE(asked(), first);
  EXPECT_EQ(log_in("bob", "wrong").why, done.why);
  EXPECT_EQ(asked().size(), first.size());
  EXPECT_EQ(asked().substr(asked().find(",i=")), first.substr(first.find(",i=")));
}

TEST_F(Scram, AUserWithAnotherKindOfHashIsRefusedAndTheCureIsTold) {
  use(line("bob", "secret", HashKind::kPbkdf2Sha512, 2) +
      line("old", "secret", HashKind::kSha512, 1));
  for (const std::string user : {"bob", "old"}) {
    const core::ExchangeStep done = log_in(user, "secret");
    EXPECT_EQ(done.reason, Reason::kBadCredentials);
    EXPECT_THAT(done.why, HasSubstr("hermod passwd -H scram-sha-256"));
  }
}

TEST_F(Scram, WhatIsNoMessageIsAProtocolErrorAndSaysNothingOfTheName) {
  use(line("bob", "secret") + line("old", "secret", HashKind::kSha512, 1));
  const auto exchange = authorizer.begin_exchange("SCRAM-SHA-256");
  EXPECT_EQ(exchange->step(as_bytes("n,,x")).reason, Reason::kProtocolError);
  for (const std::string_view user : {"bob", "old", "nobody"}) {
    const auto begun = authorizer.begin_exchange("SCRAM-SHA-256");
    const std::string first = fmt::format("n,,n={},r=client-nonce", user);
    EXPECT_EQ(begun->step(as_bytes(first)).reason, Reason::kContinue);
    EXPECT_EQ(begun->step(as_bytes("c=biws")).reason, Reason::kProtocolError) << user;
  }
}

TEST_F(Scram, OnlyThatMethodIsKnownAndOnlyWithAPasswordFile) {
  EXPECT_EQ(authorizer.begin_exchange("SCRAM-SHA-256"), nullptr);
  use("");
  EXPECT_NE(authorizer.begin_exchange("SCRAM-SHA-256"), nullptr);
  for (const std::string_view method : {"", "SCRAM-SHA-1", "scram-sha-256", "SCRAM-SHA-256-PLUS"}) {
    EXPECT_EQ(authorizer.begin_exchange(method), nullptr) << method;
  }
}

// The record that it began with stays; whether that still counts is asked in the end.
TEST_F(Scram, AChangeDuringTheExchangeMakesItsProofInvalid) {
  use(line("bob", "secret"));
  const auto exchange = authorizer.begin_exchange("SCRAM-SHA-256");
  sasl::ScramClient bob{"bob", "secret", "client-nonce"};
  const core::ExchangeStep asked = exchange->step(as_bytes(bob.first()));
  use(line("bob", "new"));
  const core::ExchangeStep done = exchange->step(as_bytes(*bob.answer(asked.octets)));
  EXPECT_EQ(done.reason, Reason::kOk);
  EXPECT_FALSE(authorizer.still_valid({.named = true, .user = "bob"}, done.proof));
  const core::ExchangeStep again = log_in("bob", "new");
  EXPECT_TRUE(authorizer.still_valid({.named = true, .user = "bob"}, again.proof));
}

}  // namespace
}  // namespace hermod::identity
