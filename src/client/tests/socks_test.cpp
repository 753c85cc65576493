// SPDX-License-Identifier: Apache-2.0
// RFC 1928 and RFC 1929, octet by octet.
#include "../socks.hpp"

#include <gtest/gtest.h>

#include "scripted_server.hpp"

namespace hermod::client {
namespace {

/// What the client says to these octets, in hexadecimal pairs after each other; else the error.
std::string talk(SocksHandshake& handshake, std::initializer_list<const char*> answers) {
  std::string said = handshake.greeting();
  for (const char* hex : answers) {
    const std::string bytes = octets(hex);
    EXPECT_EQ(handshake.wanted(), bytes.size());
    const auto next = handshake.on_bytes(as_bytes(bytes));
    if (!next) return make_error_code(next.error()).message();
    said += *next;
  }
  return said;
}

std::string refusal(const char* reply) {
  SocksHandshake handshake("h", 1883, {}, {});
  return talk(handshake, {"05 00", reply});
}

TEST(Socks, NamesAreLeftToTheProxy) {
  SocksHandshake handshake("broker.test", 1883, {}, {});
  EXPECT_EQ(talk(handshake, {"05 00", "05 00 00 03", "03", "61 62 63 07 5b"}),
            octets("05 01 00  05 01 00 03 0b") + "broker.test" + octets("07 5b"));
  EXPECT_TRUE(handshake.done());
}

TEST(Socks, AddressesGoAsTheyAre) {
  SocksHandshake four("192.0.2.1", 258, {}, {});
  EXPECT_EQ(talk(four, {"05 00", "05 00 00 01", "7f 00 00 01 00 01"}),
            octets("05 01 00  05 01 00 01 c0 00 02 01 01 02"));
  EXPECT_TRUE(four.done());
  SocksHandshake six("2001:db8::1", 1883, {}, {});
  EXPECT_EQ(talk(six, {"05 00", "05 00 00 04", "00000000 00000000 00000000 00000000 0000"}),
            octets("05 01 00  05 01 00 04 20010db8 00000000 00000000 00000001 07 5b"));
  EXPECT_TRUE(six.done());
}

TEST(Socks, LogsInWhereTheProxyWantsIt) {
  SocksHandshake handshake("h", 1, "me", "secret");
  EXPECT_EQ(talk(handshake, {"05 02", "01 00", "05 00 00 01", "7f 00 00 01 00 01"}),
            octets("05 02 00 02  01 02 6d65 06 736563726574  05 01 00 03 01 68 00 01"));
  SocksHandshake unasked("h", 1, "me", {});
  EXPECT_EQ(talk(unasked, {"05 00"}), octets("05 02 00 02  05 01 00 03 01 68 00 01"));
  SocksHandshake nameless("h", 1, "me", {});
  EXPECT_EQ(talk(nameless, {"05 02"}), octets("05 02 00 02  01 02 6d65 00"));
}

TEST(Socks, LoginsMayBeRefused) {
  SocksHandshake handshake("h", 1, "me", "wrong");
  EXPECT_EQ(talk(handshake, {"05 02", "01 01"}),
            "the proxy does not accept the user name or password");
  SocksHandshake nobody("h", 1, {}, {});
  EXPECT_EQ(talk(nobody, {"05 ff"}),
            "the proxy wants a user name and password, or another way to log in");
  SocksHandshake unasked("h", 1, {}, {});  // it chose what was not offered
  EXPECT_EQ(talk(unasked, {"05 02"}),
            "the proxy wants a user name and password, or another way to log in");
}

TEST(Socks, EachRefusalOfTheProxyIsTold) {
  EXPECT_EQ(refusal("05 01 00 01"), "the proxy failed");
  EXPECT_EQ(refusal("05 02 00 01"), "the proxy's rules do not allow it");
  EXPECT_EQ(refusal("05 03 00 01"), "the proxy does not reach the server's network");
  EXPECT_EQ(refusal("05 04 00 01"), "the proxy does not reach the server");
  EXPECT_EQ(refusal("05 05 00 01"), "the proxy says that nothing listens there");
  EXPECT_EQ(refusal("05 06 00 01"), "the proxy says that the server is too far away");
  EXPECT_EQ(refusal("05 07 00 01"), "the proxy does not connect for others");
  EXPECT_EQ(refusal("05 08 00 01"), "the proxy does not take this kind of address");
  EXPECT_EQ(refusal("05 09 00 01"), "the proxy failed");
}

TEST(Socks, OtherProtocolsAreNotSocks) {
  EXPECT_EQ(refusal("04 00 00 01"), "the proxy does not speak SOCKS5");
  EXPECT_EQ(refusal("05 00 00 02"), "the proxy does not speak SOCKS5");  // no such kind of address
  SocksHandshake handshake("h", 1, {}, {});
  EXPECT_EQ(talk(handshake, {"48 54"}), "the proxy does not speak SOCKS5");  // "HT"
}

TEST(Socks, FieldsHave255Octets) {
  const std::string most(255, 'x');
  EXPECT_TRUE(SocksHandshake(most, 1, most, most).fits());
  EXPECT_FALSE(SocksHandshake(most + "x", 1, {}, {}).fits());
  EXPECT_FALSE(SocksHandshake("h", 1, most + "x", {}).fits());
  EXPECT_FALSE(SocksHandshake("h", 1, "me", most + "x").fits());
  EXPECT_FALSE(SocksHandshake("", 1, {}, {}).fits());
  EXPECT_FALSE(SocksHandshake("h", 1, "", {}).fits());
}

}  // namespace
}  // namespace hermod::client
