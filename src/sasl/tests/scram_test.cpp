// SPDX-License-Identifier: Apache-2.0
#include "hermod/sasl/scram.hpp"

#include <gtest/gtest.h>

#include <set>

#include "hermod/sasl/base64.hpp"
#include "scram_vectors.hpp"

namespace hermod::sasl {
namespace {

using namespace vectors;

ScramVerifier verifier_of(std::string_view password, std::uint32_t iterations = 4'096) {
  return *make_verifier(as_bytes(password), *from_base64("W22ZaJ0SNY7soEsUEjb6gQ=="), iterations);
}

ScramClient client_of(std::string_view password = kPassword) {
  return ScramClient{std::string(kUser), std::string(password), std::string(kClientNonce)};
}

/// A server that has sent its challenge.
class Asking {
 public:
  explicit Asking(std::string_view client_first = kClientFirst) {
    EXPECT_EQ(server.begin(client_first), std::string(kUser));
    challenge = server.challenge(verifier_of(kPassword));
  }
  ScramServer server{std::string(kServerNonce)};
  std::string challenge;
};

TEST(Scram, TheExchangeOfRfc7677) {
  ScramClient client = client_of();
  EXPECT_EQ(client.first(), kClientFirst);
  Asking asking{client.first()};
  EXPECT_EQ(asking.challenge, kServerFirst);
  EXPECT_EQ(client.answer(kServerFirst), std::string(kClientFinal));
  EXPECT_EQ(asking.server.finish(kClientFinal), std::string(kServerFinal));
  EXPECT_TRUE(client.finish(kServerFinal));
}

TEST(Scram, AWrongPasswordIsRefused) {
  Asking asking;
  ScramClient client = client_of("pencil ");
  const auto answer = client.answer(asking.challenge);
  ASSERT_TRUE(answer);
  EXPECT_EQ(asking.server.finish(*answer).error(), "wrong user name or password");
}

TEST(Scram, NamesAndPasswordsMayHoldAnythingButControlCharacters) {
  const std::string name = "a,b=c \xC3\xA9";
  ScramClient client{name, "p\xE2\x82\xAC,=", std::string(kClientNonce)};
  ScramServer server{std::string(kServerNonce)};
  EXPECT_EQ(server.begin(client.first()), name);
  const auto answer = client.answer(server.challenge(verifier_of("p\xE2\x82\xAC,=")));
  ASSERT_TRUE(answer);
  const auto last = server.finish(*answer);
  ASSERT_TRUE(last) << last.error();
  EXPECT_TRUE(client.finish(*last));
}

// Who has recorded an exchange, or changes it on its way, does not come in.
TEST(Scram, NothingOfTheExchangeCanBeChanged) {
  const std::string sent(kClientFinal);
  for (std::size_t at = 0; at < sent.size(); ++at) {
    std::string changed = sent;
    changed[at] = changed[at] == 'x' ? 'y' : 'x';
    Asking asking;
    EXPECT_FALSE(asking.server.finish(changed)) << changed;
  }
  Asking other{"n,,n=user,r=sOprNGfwEbeRWgbNEkqO"};
  EXPECT_EQ(other.server.finish(sent).error(), "the nonce is another exchange's");
  Asking bound{"y,,n=user,r=rOprNGfwEbeRWgbNEkqO"};
  EXPECT_FALSE(bound.server.finish(sent));  // says "n" now: somebody took the "y" away
}

TEST(Scram, WhoCouldBindTheChannelComesIn) {
  Asking asking{"y,,n=user,r=rOprNGfwEbeRWgbNEkqO"};
  // The client of this module says "n": its proof is made by hand.
  const std::string head = "c=eSws,r=" + std::string(kClientNonce) + std::string(kServerNonce);
  const std::string exchanged =
      "n=user,r=" + std::string(kClientNonce) + ',' + asking.challenge + ',' + head;
  const Key stored = verifier_of(kPassword).stored_key;
  const Key signature = hmac_sha256(stored, as_bytes(exchanged));
  Asking plain;
  const auto known = read_client_final(kClientFinal);
  const Key plain_signature =
      hmac_sha256(stored, as_bytes("n=user,r=" + std::string(kClientNonce) + ',' + plain.challenge +
                                   ',' + std::string(known->without_proof)));
  Key proof = known->proof;
  for (std::size_t i = 0; i < proof.size(); ++i) {
    proof[i] ^= plain_signature[i];
    proof[i] ^= signature[i];
  }
  EXPECT_TRUE(asking.server.finish(head + ",p=" + to_base64(proof)));
}

TEST(Scram, WrongMessagesAreRefusedByTheServer) {
  for (const std::string& text : wrong_client_firsts()) {
    ScramServer server{std::string(kServerNonce)};
    EXPECT_FALSE(server.begin(text)) << text;
  }
  ScramServer server{std::string(kServerNonce)};
  EXPECT_FALSE(server.begin("n,,n=user,r=" + std::string(kNonceCharsMax, 'x')));
  for (const std::string& text : wrong_client_finals()) {
    Asking asking;
    EXPECT_FALSE(asking.server.finish(text)) << text;
  }
}

TEST(Scram, WrongMessagesAreRefusedByTheClient) {
  for (const std::string& text : wrong_server_firsts()) {
    ScramClient client = client_of();
    EXPECT_FALSE(client.answer(text)) << text;
  }
  for (const std::string& text : wrong_server_finals()) {
    ScramClient client = client_of();
    ASSERT_TRUE(client.answer(kServerFirst));
    EXPECT_FALSE(client.finish(text)) << text;
  }
}

// A server that does not know the password proves nothing.
TEST(Scram, TheClientChecksTheServer) {
  ScramClient client = client_of();
  EXPECT_FALSE(client.finish(kServerFinal));  // before the exchange
  ASSERT_TRUE(client.answer(kServerFirst));
  EXPECT_FALSE(client.finish("v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
  EXPECT_FALSE(client.finish("e=other-error"));
  EXPECT_FALSE(client.finish(""));
  EXPECT_TRUE(client.finish(kServerFinal));
}

TEST(Scram, TheClientTakesOnlyANonceThatGoesOnWithItsOwn) {
  for (const std::string_view nonce : {"sOprNGfwEbeRWgbNEkqOabc", "rOprNGfwEbeRWgbNEkqO", "abc"}) {
    ScramClient client = client_of();
    EXPECT_FALSE(client.answer("r=" + std::string(nonce) + ",s=AAAA,i=4096")) << nonce;
  }
}

TEST(Scram, TheClientBoundsTheIterations) {
  const auto asked = [](std::uint32_t iterations) {
    ScramClient client = client_of();
    return client.answer("r=rOprNGfwEbeRWgbNEkqOabc,s=AAAA,i=" + std::to_string(iterations));
  };
  EXPECT_TRUE(asked(kScramIterationsMin));
  EXPECT_FALSE(asked(kScramIterationsMin - 1));
  EXPECT_FALSE(asked(kScramIterationsMax + 1));
  EXPECT_FALSE(asked(UINT32_MAX));
}

TEST(Scram, AVerifierDependsOnAllThatMakesIt) {
  const auto text = [](std::string_view password, std::string_view salt, std::uint32_t iterations) {
    const auto made = make_verifier(as_bytes(password), as_bytes(salt), iterations);
    return to_base64(made->stored_key) + to_base64(made->server_key);
  };
  const std::set<std::string> all{text("a", "s", 2), text("b", "s", 2), text("a", "t", 2),
                                  text("a", "s", 3), text("", "s", 2)};
  EXPECT_EQ(all.size(), 5u);
}

TEST(Scram, NoncesAreNewAndFitTheGrammar) {
  std::set<std::string> nonces;
  for (int i = 0; i < 100; ++i) {
    nonces.insert(*make_nonce());
    EXPECT_TRUE(read_client_first("n,,n=u,r=" + *nonces.begin()));
  }
  EXPECT_EQ(nonces.size(), 100u);
}

}  // namespace
}  // namespace hermod::sasl
