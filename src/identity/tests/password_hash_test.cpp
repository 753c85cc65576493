// SPDX-License-Identifier: Apache-2.0
// Hashes of passwords, against lines that Debian's mosquitto_passwd 2.0.11 has written.
#include "hermod/identity/password_hash.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermod::identity {
namespace {

using testing::HasSubstr;

struct Vector {
  std::string_view password;
  std::string_view text;
};
constexpr Vector kVectors[] = {
    {"pw 1",
     "$7$101$sSLqQFVIKgBhxSmw$BjCiTltU6TyqDWMc6OA3rkbPlgC4Q4Wb+iS4ax4OFrYdu51LKSIUXrnw7IemwAUKkL3Y"
     "qEWtQG2ZATesOtRsQg=="},
    {"pw 2",
     "$7$101$50yBcCVUOPojWn+T$ZgTrgZYmqMF73YSIRrIUtyQ1KCe1WTrcCWahXjy2NNIZqwdhQn9YvEF032bqPHbN3STY"
     "JeYVZiw6WtspYk2HsQ=="},
    {"",
     "$7$101$k+i0c3XoWFAfJtdl$xtJyl+bjc6VyDTXXBXsThE9Ny5RYL9DaQiv4umbDO4+nVtqvIn91tghF/rwHw0G+BCk2"
     "C85PFphZN7luoG9ROg=="},
    {"secret",
     "$6$gJRu9gyhc3QAFC9K$Bd4a+KEVdRYJ9VD1FkJfSmD0ewdHdjyTQDs7Wl3+ltUL5HZRbEDO+WetqpCWDm+v4Dj6L6Og"
     "1Xu881HR0yuT9Q=="}};

TEST(PasswordHash, LinesOfMosquittoPasswdAcceptTheirPasswordAndNoOther) {
  for (const Vector& vector : kVectors) {
    const auto hash = parse_password_hash(vector.text);
    ASSERT_TRUE(hash) << hash.error();
    EXPECT_TRUE(verify_password(*hash, as_bytes(vector.password))) << vector.text;
    EXPECT_FALSE(verify_password(*hash, as_bytes("Secret")));
    EXPECT_FALSE(verify_password(*hash, as_bytes(std::string(vector.password) + "x")));
    EXPECT_EQ(hash->to_text(), vector.text);
  }
}

TEST(PasswordHash, MadeHashesHaveSaltsOfTheirOwnAndComeBackFromText) {
  for (const HashKind kind : {HashKind::kPbkdf2Sha512, HashKind::kSha512}) {
    const auto one = hash_password(as_bytes("pass"), kind, 101);
    const auto two = hash_password(as_bytes("pass"), kind, 101);
    ASSERT_TRUE(one && two);
    EXPECT_EQ(one->salt.size(), 12u);
    EXPECT_NE(one->salt, two->salt);
    EXPECT_NE(one->digest, two->digest);
    const auto back = parse_password_hash(one->to_text());
    ASSERT_TRUE(back) << back.error();
    EXPECT_EQ(back->kind, kind);
    EXPECT_TRUE(verify_password(*back, as_bytes("pass")));
    EXPECT_FALSE(verify_password(*back, as_bytes("pass ")));
  }
}

// RFC 7677 §3: what a server keeps for that exchange.
TEST(PasswordHash, ScramKeepsTwoKeysAndTakesThePasswordToo) {
  const std::string text =
      "$scram-sha-256$4096$W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=$"
      "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
  const auto hash = parse_password_hash(text);
  ASSERT_TRUE(hash) << hash.error();
  EXPECT_EQ(hash->to_text(), text);
  EXPECT_TRUE(verify_password(*hash, as_bytes("pencil")));
  EXPECT_FALSE(verify_password(*hash, as_bytes("pencil ")));
  EXPECT_FALSE(verify_password(*hash, as_bytes("")));

  const auto one = hash_password(as_bytes("pass"), HashKind::kScramSha256, 4'096);
  const auto two = hash_password(as_bytes("pass"), HashKind::kScramSha256, 4'096);
  ASSERT_TRUE(one && two);
  EXPECT_EQ(one->salt.size(), kScramSaltBytes);
  EXPECT_NE(one->salt, two->salt);
  EXPECT_TRUE(verify_password(*parse_password_hash(one->to_text()), as_bytes("pass")));
  EXPECT_FALSE(wrong_password(as_bytes("p\xC3\xA9"), HashKind::kScramSha256));
  EXPECT_TRUE(wrong_password(as_bytes("a\nb"), HashKind::kScramSha256));
  EXPECT_FALSE(wrong_password(as_bytes("a\nb"), HashKind::kPbkdf2Sha512));
}

TEST(PasswordHash, IterationsCount) {
  auto hash = *hash_password(as_bytes("pass"), HashKind::kPbkdf2Sha512, 7);
  EXPECT_TRUE(hash.to_text().starts_with("$7$7$"));
  hash.iterations = 8;
  EXPECT_FALSE(verify_password(hash, as_bytes("pass")));
}

TEST(PasswordHash, SecretsMayHoldAnyOctet) {
  const std::string secret{"a\0b\xFF", 4};
  const auto hash = hash_password(as_bytes(secret), HashKind::kPbkdf2Sha512, 2);
  EXPECT_TRUE(verify_password(*hash, as_bytes(secret)));
  EXPECT_FALSE(verify_password(*hash, as_bytes(std::string_view(secret).substr(0, 1))));
}

std::string error_of(std::string_view text) {
  const auto hash = parse_password_hash(text);
  return hash ? "accepted" : hash.error();
}

TEST(PasswordHash, APasswordThatIsNotHashedIsRefusedWithTheCure) {
  for (const std::string_view text : {"", "secret", "$", "$secret", "se$cr$et"}) {
    EXPECT_THAT(error_of(text), HasSubstr("hermod passwd -U")) << text;
  }
}

TEST(PasswordHash, DamagedKeysOfScramAreRefused) {
  const std::string head = "$scram-sha-256$";
  for (const std::string_view iterations : {"", "0", "4095", "1000001", "4096x", "-4096"}) {
    EXPECT_THAT(error_of(fmt::format("{}{}$AAAA$AAAA$AAAA", head, iterations)),
                HasSubstr("from 4096 to 1000000"));
  }
  const std::string whole =
      hash_password(as_bytes("pass"), HashKind::kScramSha256, 4'096)->to_text();
  for (std::size_t size = head.size() + 5; size < whole.size(); ++size) {
    EXPECT_THAT(error_of(whole.substr(0, size)), HasSubstr("two keys of 32")) << size;
  }
  for (const std::string_view after : {"=", "$", "$AAAA", " "}) {
    EXPECT_THAT(error_of(whole + std::string(after)), HasSubstr("damaged"));
  }
}

TEST(PasswordHash, UnknownAndDamagedHashesAreRefused) {
  EXPECT_THAT(error_of("$argon2id$v=19$m=47104,t=1,p=1$x$y"), HasSubstr("$argon2id$"));
  for (const std::string_view iterations : {"", "0", "-1", "+5", "1x", "10000001", "99999999999"}) {
    EXPECT_THAT(error_of(fmt::format("$7${}$sSLqQFVIKgBhxSmw$BjCi", iterations)),
                HasSubstr("iterations"));
  }
  const std::string whole{kVectors[0].text};
  for (std::size_t size = whole.find("sSLq"); size < whole.size(); ++size) {
    EXPECT_THAT(error_of(whole.substr(0, size)), HasSubstr("damaged")) << size;
  }
  for (const std::string_view after : {"=", "$", " ", "AAAA"}) {
    EXPECT_THAT(error_of(whole + std::string(after)), HasSubstr("damaged"));
  }
  std::string changed = whole;
  changed[whole.find("sSLq")] = '!';
  EXPECT_THAT(error_of(changed), HasSubstr("damaged"));
  EXPECT_THAT(error_of("$6$" + whole.substr(7)), HasSubstr("accepted"));  // same parts, other kind
}

}  // namespace
}  // namespace hermod::identity
