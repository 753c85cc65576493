// SPDX-License-Identifier: Apache-2.0
#include "hermod/identity/password_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermod::identity {
namespace {

using testing::HasSubstr;

PasswordHash quick_hash(std::string_view password) {
  return *hash_password(as_bytes(password), HashKind::kPbkdf2Sha512, 2);
}
std::string line_of(std::string_view name, std::string_view password) {
  return fmt::format("{}:{}\n", name, quick_hash(password).to_text());
}

std::vector<std::string> complaints(std::string_view text) {
  std::vector<std::string> all;
  const auto users = Users::parse(text, "pw");
  if (users) return all;
  for (const Complaint& complaint : users.error()) all.push_back(complaint.to_text());
  return all;
}

TEST(PasswordFile, UsersAreFoundByTheirWholeName) {
  const auto users =
      Users::parse("# who\n\n" + line_of("bob", "b") + "  \n" + line_of("al ice", "a"), "pw");
  ASSERT_TRUE(users);
  EXPECT_EQ(users->size(), 2u);
  ASSERT_NE(users->find("al ice"), nullptr);
  EXPECT_TRUE(verify_password(*users->find("al ice"), as_bytes("a")));
  EXPECT_TRUE(verify_password(*users->find("bob"), as_bytes("b")));
  EXPECT_EQ(users->find("bo"), nullptr);
  EXPECT_EQ(users->find(""), nullptr);
  EXPECT_NE(users->decoy(), nullptr);
}

TEST(PasswordFile, LinesMayEndAsOnOtherSystemsAndTheLastWithout) {
  std::string text = line_of("bob", "b");
  text.pop_back();
  EXPECT_EQ(complaints(text).size(), 0u);
  EXPECT_EQ(complaints(text + "\r\n").size(), 0u);
}

TEST(PasswordFile, AnEmptyFileHasNoUsers) {
  const auto users = Users::parse("# nobody\n", "pw");
  ASSERT_TRUE(users);
  EXPECT_EQ(users->size(), 0u);
  EXPECT_EQ(users->decoy(), nullptr);
}

TEST(PasswordFile, EveryWrongLineIsNamed) {
  const std::string bob = line_of("bob", "b");
  const auto all = complaints("alice\n" + bob + ":x\nplain:secret\n" + bob + "eve:\nx:$9$1$2\n");
  ASSERT_EQ(all.size(), 6u);
  EXPECT_THAT(all[0], HasSubstr("pw:1: the line has no colon"));
  EXPECT_THAT(all[1], HasSubstr("pw:3: the user name is empty"));
  EXPECT_THAT(all[2], HasSubstr("pw:4: user \"plain\": the password is not hashed"));
  EXPECT_THAT(all[2], HasSubstr("hermod passwd -U"));
  EXPECT_THAT(all[3], HasSubstr("pw:5: user \"bob\" is there already"));
  EXPECT_THAT(all[4], HasSubstr("pw:6: user \"eve\" has no password"));
  EXPECT_THAT(all[5], HasSubstr("$9$"));
  for (const std::string& text : all) EXPECT_THAT(text, testing::Not(HasSubstr("secret")));
}

TEST(PasswordFile, ChangingAUserLeavesAllElseAsItIs) {
  const std::string bob = line_of("bob", "b");
  const std::string eve = line_of("eve", "e");
  const PasswordHash next = quick_hash("next");
  const std::string next_line = fmt::format("bob:{}\n", next.to_text());
  EXPECT_EQ(with_user("# c\n" + bob + "\n" + eve, "bob", next), "# c\n" + next_line + "\n" + eve);
  EXPECT_EQ(with_user(eve, "bob", next), eve + next_line);
  EXPECT_EQ(with_user("", "bob", next), next_line);
  std::string open_end = eve;
  open_end.pop_back();
  EXPECT_EQ(with_user(open_end, "bob", next), eve + next_line);
  EXPECT_EQ(without_user("# c\n" + bob + eve, "bob"), "# c\n" + eve);
  EXPECT_EQ(without_user("#bob:x\n" + eve, "bob"), std::nullopt);
  EXPECT_EQ(without_user(bob, "bo"), std::nullopt);
}

TEST(PasswordFile, OnlyPasswordsThatAreNotHashedAreHashed) {
  const std::string bob = line_of("bob", "b");
  const auto hasher = [](Bytes password) {
    return *hash_password(password, HashKind::kPbkdf2Sha512, 2);
  };
  const auto text = with_hashes("# c\nalice:plain:word\n" + bob, "pw", hasher);
  ASSERT_TRUE(text);
  EXPECT_TRUE(text->starts_with("# c\nalice:$7$2$"));
  EXPECT_TRUE(text->ends_with(bob));
  const auto users = Users::parse(*text, "pw");
  ASSERT_TRUE(users);
  EXPECT_TRUE(verify_password(*users->find("alice"), as_bytes("plain:word")));
  EXPECT_TRUE(verify_password(*users->find("bob"), as_bytes("b")));
}

TEST(PasswordFile, WhyAPasswordCannotBeHashedIsToldWithItsLine) {
  const auto hasher = [](Bytes) -> std::expected<PasswordHash, std::string> {
    return std::unexpected("no.");
  };
  EXPECT_EQ(with_hashes("# c\na:b\n", "pw", hasher).error().to_text(), "pw:2: no.");
}

TEST(PasswordFile, TheFirstLineForScramSaysWhatUnknownNamesPretend) {
  EXPECT_EQ(Users::parse(line_of("bob", "b"), "pw")->scram_iterations(), 4'096u);
  std::string text = line_of("bob", "b");
  for (const std::uint32_t iterations : {5'000u, 6'000u}) {
    const auto hash = hash_password(as_bytes("x"), HashKind::kScramSha256, iterations);
    text = with_user(text, fmt::format("u{}", iterations), *hash);
  }
  EXPECT_EQ(Users::parse(text, "pw")->scram_iterations(), 5'000u);
}

TEST(PasswordFile, NothingIsHashedThatLooksLikeADamagedHash) {
  const auto hasher = [](Bytes) -> std::expected<PasswordHash, std::string> {
    return PasswordHash{};
  };
  const auto damaged = with_hashes("a:b\nbob:$7$101$abcd$\n", "pw", hasher);
  ASSERT_FALSE(damaged);
  EXPECT_THAT(damaged.error().to_text(), HasSubstr("pw:2: the hash is damaged"));
  const auto unknown = with_hashes("bob:$argon2id$v=19$x\n", "pw", hasher);
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().to_text(), HasSubstr("$argon2id$"));
}

TEST(PasswordFile, NamesThatWouldBreakALineAreRefused) {
  for (const std::string_view name : {"", "a:b", "#a", "a\nb", "a\tb"}) {
    EXPECT_TRUE(wrong_user_name(name)) << name;
  }
  EXPECT_TRUE(wrong_user_name(std::string(65'536, 'a')));
  EXPECT_FALSE(wrong_user_name("Jürgen #1"));
}

}  // namespace
}  // namespace hermod::identity
