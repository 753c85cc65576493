// SPDX-License-Identifier: Apache-2.0
// The exchange of RFC 7677 §3, and messages that break the grammar; also the seeds of the fuzzer.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hermod/testkit/seeds.hpp"

namespace hermod::sasl::vectors {

inline constexpr std::string_view kUser = "user";
inline constexpr std::string_view kPassword = "pencil";
inline constexpr std::string_view kClientNonce = "rOprNGfwEbeRWgbNEkqO";
inline constexpr std::string_view kServerNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
inline constexpr std::string_view kClientFirst = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
inline constexpr std::string_view kServerFirst =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
inline constexpr std::string_view kClientFinal =
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
inline constexpr std::string_view kServerFinal = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

inline constexpr std::string_view kProof = "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

inline std::vector<std::string> wrong_client_firsts() {
  using namespace std::string_literals;
  return {"",
          "n",
          "n,",
          "n,,",
          "n,,n=user",
          "n,,r=12345678",
          "n,,r=12345678,n=user",  // order
          "n,,n=,r=12345678",      // no name
          "n,,n=a=2c,r=12345678",  // lower case
          "n,,n=a=,r=12345678",    // escape cut short
          "n,,n=a=3,r=12345678",
          "n,,n=a\x01,r=12345678",  // control character
          "n,,n=a\x7F,r=12345678",
          "n,,n=a\xC2\x85,r=12345678",  // C1
          "n,,n=a\0b,r=12345678"s,
          "n,,n=\xFF,r=12345678",  // no UTF-8
          "n,,n=user,r=",
          "n,,n=user,r=1234567",    // short
          "n,,n=user,r=1234 5678",  // blank
          "n,,n=user,r=1234567\xC3\xA9",
          "n,,n=user,r=12345678,",  // empty extension
          "n,,n=user,r=12345678,x",
          "n,,n=user,r=12345678,1=2",
          "n,,n=user,r=12345678,m=1",  // mandatory extension
          "n,,m=1,n=user,r=12345678",
          "n,a=other,n=user,r=12345678",  // acts as somebody else
          "n,user,n=user,r=12345678",
          "p=tls-unique,,n=user,r=12345678",  // channel binding
          "x,,n=user,r=12345678",
          "N,,n=user,r=12345678",
          "n,,n=user,r=" + std::string(300, 'x'),
          "n,,n=" + std::string(1'100, 'x') + ",r=12345678"};
}
inline std::vector<std::string> wrong_server_firsts() {
  const std::string big(92, 'A');
  return {"",
          "r=12345678",
          "r=12345678,s=AAAA",
          "s=AAAA,r=12345678,i=4096",
          "r=,s=AAAA,i=4096",
          "r=1 2,s=AAAA,i=4096",
          "r=12345678,s=,i=4096",
          "r=12345678,s=AAA,i=4096",
          "r=12345678,s=AAB=,i=4096",         // bits that are not zero
          "r=12345678,s=" + big + ",i=4096",  // 69 octets
          "r=12345678,s=AAAA,i=",
          "r=12345678,s=AAAA,i=0",
          "r=12345678,s=AAAA,i=04096",
          "r=12345678,s=AAAA,i=-4096",
          "r=12345678,s=AAAA,i=+4096",
          "r=12345678,s=AAAA,i=4096x",
          "r=12345678,s=AAAA,i=99999999999",
          "r=12345678,s=AAAA,i=4096,m=1",
          "m=1,r=12345678,s=AAAA,i=4096",
          "r=12345678,s=AAAA,i=4096,x",
          "r=" + std::string(300, 'x') + ",s=AAAA,i=4096",
          "r=12345678,s=AAAA,i=4096,x=" + std::string(1'100, 'x')};
}
inline std::vector<std::string> wrong_client_finals() {
  const std::string proof(kProof);
  return {"",
          "c=biws",
          "c=biws,r=12345678",
          "c=biws," + proof,
          "r=12345678,c=biws," + proof,
          "c=biws,r=," + proof,
          "c=biws,r=12345678,p=",
          "c=biws,r=12345678,p=AAAA",  // no 32 octets
          "c=biws,r=12345678,p=!HzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
          "c=biws,r=12345678," + proof + ",x=1",  // behind the proof
          "c=biws,r=12345678," + proof + ",",
          "c=biws,r=12345678,m=1," + proof,
          "c=biws,r=12345678,x," + proof,
          "c=biws,r=12345678,x=" + std::string(1'100, 'x') + ',' + proof};
}
inline std::vector<std::string> wrong_server_finals() {
  return {"",
          "v=",
          "v=AAAA",
          "e=",
          "x=1",
          "v",
          std::string(kServerFinal) + ",",
          std::string(kServerFinal) + ",m=1",
          std::string(kServerFinal).substr(0, 40),
          "v=" + std::string(1'100, 'A')};
}

/// One octet for the message's kind, then the message.
inline testkit::Seeds seeds() {
  testkit::Seeds all;
  const auto add = [&all](const std::string& name, char kind, std::string_view text) {
    std::vector<std::uint8_t>& octets = all[name];
    octets.push_back(static_cast<std::uint8_t>(kind));
    octets.insert(octets.end(), text.begin(), text.end());
  };
  add("client-first", 0, kClientFirst);
  add("client-first-escaped", 0, "y,a=a=2Cb=3D,n=a=2Cb=3D,r=12345678,x=y=z");
  add("server-first", 1, kServerFirst);
  add("client-final", 2, kClientFinal);
  add("server-final", 3, kServerFinal);
  add("server-final-error", 3, "e=invalid-proof");
  const std::vector<std::string> wrong[] = {wrong_client_firsts(), wrong_server_firsts(),
                                            wrong_client_finals(), wrong_server_finals()};
  for (char kind = 0; kind < 4; ++kind) {
    int number = 0;
    for (const std::string& text : wrong[static_cast<int>(kind)]) {
      std::string name = "wrong-" + std::to_string(kind) + "-" + std::to_string(number++);
      if (text.size() < 200) add(name, kind, text);
    }
  }
  return all;
}

}  // namespace hermod::sasl::vectors
