// SPDX-License-Identifier: Apache-2.0
#include "hermod/sasl/scram_messages.hpp"

#include <gtest/gtest.h>

#include "scram_vectors.hpp"

namespace hermod::sasl {
namespace {

TEST(ScramMessages, ClientFirstIsTakenApart) {
  const auto first = read_client_first(vectors::kClientFirst);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->gs2_header, "n,,");
  EXPECT_EQ(first->bare, "n=user,r=rOprNGfwEbeRWgbNEkqO");
  EXPECT_EQ(first->name, "user");
  EXPECT_EQ(first->nonce, vectors::kClientNonce);
}

TEST(ScramMessages, AClientThatCouldBindChannelsAndActsAsItselfIsTaken) {
  const auto first = read_client_first("y,a=a=2Cb=3D,n=a=2Cb=3D,r=12345678,x=y=z,Y=\xC3\xA9");
  ASSERT_TRUE(first) << first.error();
  EXPECT_EQ(first->gs2_header, "y,a=a=2Cb=3D,");
  EXPECT_EQ(first->name, "a,b=");
  EXPECT_EQ(to_saslname(first->name), "a=2Cb=3D");
}

TEST(ScramMessages, WrongMessagesAreRefused) {
  for (const std::string& text : vectors::wrong_client_firsts()) {
    EXPECT_FALSE(read_client_first(text)) << text;
  }
  for (const std::string& text : vectors::wrong_server_firsts()) {
    EXPECT_FALSE(read_server_first(text)) << text;
  }
  for (const std::string& text : vectors::wrong_client_finals()) {
    EXPECT_FALSE(read_client_final(text)) << text;
  }
  for (const std::string& text : vectors::wrong_server_finals()) {
    EXPECT_FALSE(read_server_final(text)) << text;
  }
}

// Each prefix lacks something, but for one whose last field is only shorter.
TEST(ScramMessages, MessagesThatAreCutShortAreRefused) {
  for (std::size_t size = 0; size < vectors::kClientFinal.size(); ++size) {
    EXPECT_FALSE(read_client_final(vectors::kClientFinal.substr(0, size))) << size;
  }
  for (std::size_t size = 0; size < vectors::kServerFinal.size(); ++size) {
    EXPECT_FALSE(read_server_final(vectors::kServerFinal.substr(0, size))) << size;
  }
  const std::size_t nonce = vectors::kClientFirst.find("r=") + 2;
  for (std::size_t size = 0; size < nonce + kNonceCharsMin; ++size) {
    EXPECT_FALSE(read_client_first(vectors::kClientFirst.substr(0, size))) << size;
  }
  const std::size_t number = vectors::kServerFirst.find("i=") + 2;
  for (std::size_t size = 0; size <= number; ++size) {
    EXPECT_FALSE(read_server_first(vectors::kServerFirst.substr(0, size))) << size;
  }
}

TEST(ScramMessages, LimitsAreTheLastThatIsTaken) {
  const std::string nonce(kNonceCharsMax, 'x');
  EXPECT_TRUE(read_client_first("n,,n=u,r=" + nonce));
  EXPECT_FALSE(read_client_first("n,,n=u,r=x" + nonce));
  const std::string head = "n,,n=u,r=12345678,x=";
  const std::string rest(kMessageBytesMax - head.size(), 'x');
  EXPECT_TRUE(read_client_first(head + rest));
  EXPECT_FALSE(read_client_first(head + rest + 'x'));
}

TEST(ScramMessages, ServerFirstIsTakenApart) {
  const std::string text = std::string(vectors::kServerFirst) + ",x=1";
  const auto first = read_server_first(text);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->nonce.substr(0, vectors::kClientNonce.size()), vectors::kClientNonce);
  EXPECT_EQ(first->salt.size(), 16u);
  EXPECT_EQ(first->iterations, 4'096u);
}

TEST(ScramMessages, ClientFinalIsTakenApart) {
  const std::string text = "c=biws,r=12345678,x=1," + std::string(vectors::kProof);
  const auto last = read_client_final(text);
  ASSERT_TRUE(last);
  EXPECT_EQ(last->without_proof, "c=biws,r=12345678,x=1");
  EXPECT_EQ(last->channel_binding, "biws");
  EXPECT_EQ(last->nonce, "12345678");
}

TEST(ScramMessages, ServerFinalIsASignatureOrAnError) {
  const auto good = read_server_final(vectors::kServerFinal);
  ASSERT_TRUE(good);
  EXPECT_FALSE(good->error);
  const auto bad = read_server_final("e=invalid-proof");
  ASSERT_TRUE(bad);
  EXPECT_EQ(bad->error, "invalid-proof");
}

TEST(ScramMessages, TextsWithoutControlCharactersAreTaken) {
  EXPECT_FALSE(wrong_text("user, = \xC3\xA9 \xC2\xA0 \xE2\x82\xAC"));
  for (const std::string_view text : {"", "\t", "a\x1F", "\x7F", "\xC2\x80", "\xC2\x9F", "\xC2"}) {
    EXPECT_TRUE(wrong_text(text)) << text;
  }
}

}  // namespace
}  // namespace hermod::sasl
