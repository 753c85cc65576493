// SPDX-License-Identifier: Apache-2.0
// SCRAM's messages under any octets: the first octet says which one, the rest is the message.
// Whatever comes, what is read is part of it and within its bounds, and neither machine lets
// anybody in who does not know the password.
#include <cstdio>
#include <cstdlib>

#include "hermod/sasl/base64.hpp"
#include "hermod/sasl/scram.hpp"

namespace hermod::sasl {
namespace {

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

// Of no password: the stored key is no digest that anybody knows.
const ScramVerifier kVerifier{.iterations = 4'096, .salt = {1, 2, 3}, .stored_key = {1}};

void client_first(std::string_view text) {
  const auto first = read_client_first(text);
  ScramServer server{"server-nonce"};
  const auto name = server.begin(text);
  if (!first) return require(!name, "a message that cannot be read is taken");
  require(std::string(first->gs2_header).append(first->bare) == text, "two parts");
  require(!wrong_text(first->name), "a name");
  require(first->nonce.size() <= kNonceCharsMax, "a nonce");
  if (!name) return;
  require(*name == first->name, "the name");
  const std::string challenge = server.challenge(kVerifier);
  require(read_server_first(challenge).has_value(), "a challenge that can be read");
}

void server_first(std::string_view text) {
  const auto first = read_server_first(text);
  if (!first) return;
  require(!first->salt.empty() && first->salt.size() <= kScramSaltBytesMax, "a salt");
  require(first->iterations > 0, "iterations");
  if (first->iterations > kScramIterationsMin) return;  // would take long
  ScramClient client{"user", "pencil", std::string(first->nonce.substr(0, 10))};
  if (const auto answer = client.answer(text)) {
    require(read_client_final(*answer).has_value(), "an answer that can be read");
  }
}

void client_final(std::string_view text) {
  ScramServer server{"server-nonce"};
  require(server.begin("n,,n=user,r=client-nonce").has_value(), "a good begin");
  (void)server.challenge(kVerifier);
  require(!server.finish(text), "in without the password");
  if (const auto last = read_client_final(text)) {
    require(text.starts_with(last->without_proof), "what stands in front of the proof");
    require(text.ends_with(to_base64(last->proof)), "the proof");
  }
}

void server_final(std::string_view text) {
  const ScramClient client{"user", "pencil", "client-nonce"};
  require(!client.finish(text), "a server that has proven nothing");
  const auto last = read_server_final(text);
  if (last && !last->error) {
    require(text.contains(to_base64(last->signature)), "the signature");
  }
}

}  // namespace
}  // namespace hermod::sasl

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text = hermod::as_text({data + 1, size - 1});
  switch (data[0] % 4) {
    case 0:
      hermod::sasl::client_first(text);
      break;
    case 1:
      hermod::sasl::server_first(text);
      break;
    case 2:
      hermod::sasl::client_final(text);
      break;
    default:
      hermod::sasl::server_final(text);
      break;
  }
  return 0;
}
