// SPDX-License-Identifier: Apache-2.0
// Output formats. The expected texts are what mosquitto_sub 2.0.11 prints for the same message,
// except where a comment says otherwise.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include <cstdlib>

#include "text/message_format.hpp"

namespace hermod::app {
namespace {

class Format : public testing::Test {
 protected:
  void SetUp() override {
    setenv("TZ", "UTC-1", 1);  // one hour east of Greenwich
    tzset();
    message_.received.tv_sec = 1'588'799'520;  // 2020-05-06T21:12:00Z
    message_.received.tv_nsec = 123'456'789;
  }
  void TearDown() override {
    unsetenv("TZ");
    tzset();
  }

  std::string print(std::string_view format) const { return print(format, Dialect::kHermod); }
  std::string print(std::string_view format, Dialect dialect) const {
    const auto parsed = MessageFormat::parse(format, false, dialect);
    if (!parsed) return parsed.error();
    std::string out;
    return parsed->append(out, message_, "$") ? out : "not JSON" + out;
  }
  std::string plain(bool topic) const {
    std::string out;
    EXPECT_TRUE(MessageFormat::plain(topic).append(out, message_, "\n"));
    return out;
  }

  Printable message_{
      .topic = "a/b", .payload = as_bytes("34.5"), .qos = 1, .retain = true, .packet_id = 7};
};

TEST_F(Format, PlainAndVerbose) {
  EXPECT_EQ(plain(false), "34.5\n");
  EXPECT_EQ(plain(true), "a/b 34.5\n");
  message_.payload = {};
  EXPECT_EQ(plain(false), "");
  EXPECT_EQ(plain(true), "a/b (null)\n");
}

TEST_F(Format, MosquittoHasADialect) {
  message_.payload = as_bytes("pay load");
  EXPECT_EQ(print("%2p|%5x|%012X|%-8x|", Dialect::kMosquitto), "pa| 7061|000070617920|70617920|$");
  EXPECT_EQ(print("%2p|%5x", Dialect::kHermod), "pay load|706179206c6f6164$");
  EXPECT_EQ(print("%p%x", Dialect::kMosquitto), "pay load706179206c6f6164$");
  EXPECT_EQ(print("%J", Dialect::kMosquitto), "not JSON$");
  EXPECT_THAT(print("%j", Dialect::kMosquitto),
              testing::StartsWith(R"({"tst":"2020-05-06T22:12:00.123456Z+0100","topic")"));
}

TEST_F(Format, Fields) {
  EXPECT_EQ(print("%t %p %q %r %l %m"), "a/b 34.5 1 1 4 7$");
  EXPECT_EQ(print("%x|%X"), "33342e35|33342E35$");
  EXPECT_EQ(print("%I|%U|%%"), "2020-05-06T22:12:00+0100|1588799520.123456789|%$");
  EXPECT_EQ(print("\xc3\xa9%p"),
            "\xc3\xa9"
            "34.5$");
  EXPECT_EQ(print(""), "$");
  message_.qos = 0;
  message_.packet_id = 0;
  message_.retain = false;
  EXPECT_EQ(print("%q %r %m"), "0 0 0$");
}

TEST_F(Format, PropertiesOfMqtt5AreEmpty) {
  EXPECT_EQ(print("[%A%C%D%E%F%P%R%S]"), "[]$");
  EXPECT_EQ(print("[%3A][%3D][%3P][%3S]"), "[   ][][][   ]$");
}

TEST_F(Format, PropertiesOfMqtt5) {
  const mqtt::MessageProperties properties{.content_type = "text",
                                           .response_topic = "re/ply",
                                           .correlation_data = "id",
                                           .expiry_s = 60,
                                           .text = true,
                                           .user = {{"k", "v"}, {"k", "w"}}};
  const std::array<std::uint32_t, 2> ids{7, 8};
  message_.properties = &properties;
  message_.subscription_ids = ids;
  EXPECT_EQ(print("%C|%D|%E|%F|%P|%R|%S|%A"), "text|id|60|1|k:v k:w|re/ply|7|$");
  EXPECT_EQ(print("%6C|%.2C|%04E|%-4E|%3F|%.2R|%3S"), "  text|te|0060|60  |  1|re|  7$");
  EXPECT_EQ(print("%j"),
            R"({"tst":"2020-05-06T22:12:00.123456+0100","topic":"a/b","qos":1,"retain":1,)"
            R"("payloadlen":4,"mid":7,"properties":{"payload-format-indicator":1,)"
            R"("message-expiry-interval":60,"content-type":"text","response-topic":"re/ply",)"
            R"("correlation-data":"id","subscription-identifier":7,"subscription-identifier":8,)"
            R"("user-properties":{"k":"v","k":"w"}},"payload":"34.5"}$)");
}

TEST_F(Format, WidthsAndFlags) {
  EXPECT_EQ(print("%5t|%-10t|%010t"), "  a/b|a/b       |       a/b$");
  EXPECT_EQ(print("%10.2t|%-10.2t|%.2t|%.0t|%5.t|"), "        a/|a/        |a/||     |$");
  EXPECT_EQ(print("%10p|%-10p|%010p|%.2p"), "      34.5|34.5      |00000034.5|34.5$");
  EXPECT_EQ(print("%010l|%-010l|%5l|%05.2l"), "0000000004|4         |    4|00004$");
  EXPECT_EQ(print("%30I|%.10I"), "      2020-05-06T22:12:00+0100|2020-05-06$");
  EXPECT_EQ(print("%5q|%3r|%5%|%30U"), "1|1|%|1588799520.123456789$");
  EXPECT_EQ(print("%05m"), "00007$");
  // mosquitto_sub cuts the payload in half here.
  EXPECT_EQ(print("%10x|%-10X|%010x"), "  33342e35|33342E35  |0033342e35$");
}

TEST_F(Format, Escapes) {
  EXPECT_EQ(print(R"(\n\t\r\a\v\e\\)"), "\n\t\r\a\v\033\\$");
  EXPECT_EQ(print(R"(\0)"), std::string("\0$", 2));
}

TEST_F(Format, Times) {
  EXPECT_EQ(print("@Y-@m-@d @H:@M:@S.@N @@ @s"), "2020-05-06 22:12:00.123456789 @ 1588799520$");
}

TEST_F(Format, Json) {
  // The time is what the manual page shows; version 2.0.11 has a Z before the zone.
  EXPECT_EQ(print("%j"), R"({"tst":"2020-05-06T22:12:00.123456+0100","topic":"a/b","qos":1,)"
                         R"("retain":1,"payloadlen":4,"mid":7,"payload":"34.5"}$)");
  message_ = {
      .topic = "a/\"q\"", .payload = as_bytes("{ \"x\" : 1.50 }"), .received = message_.received};
  EXPECT_EQ(print("%J"), R"({"tst":"2020-05-06T22:12:00.123456+0100","topic":"a/\"q\"","qos":0,)"
                         R"("retain":0,"payloadlen":14,"payload":{"x":1.50}}$)");
  message_.payload = {};
  EXPECT_THAT(print("%j"), testing::EndsWith(R"("payloadlen":0,"payload":null}$)"));
  message_.payload = as_bytes("hello");
  EXPECT_EQ(print("%t %J"), "not JSON");
}

TEST_F(Format, WrongOnesAreExplained) {
  EXPECT_EQ(print("%Z"),
            "format \"%Z\": \"%Z\" is not a field. Fields are %t %p %x %X %l %q %r %m %I %U %j %J; "
            "%% is a percent sign.");
  EXPECT_EQ(
      print("%0-10l"),
      "format \"%0-10l\": \"%0-\" is not a field. Fields are %t %p %x %X %l %q %r %m %I %U %j "
      "%J; %% is a percent sign.");
  EXPECT_EQ(print("a%"),
            "format \"a%\": the % at its end is not followed by a letter. %% is a "
            "percent sign.");
  EXPECT_EQ(print("a%5"),
            "format \"a%5\": the % at its end is not followed by a letter. %% is a "
            "percent sign.");
  EXPECT_EQ(print("a@"),
            "format \"a@\": the @ at its end is not followed by a letter. @@ is an at "
            "sign.");
  EXPECT_EQ(print("a\\"),
            "format \"a\\\": the \\ at its end is not followed by a letter. \\\\ is a "
            "backslash.");
  EXPECT_EQ(print("\\q"),
            "format \"\\q\": \"\\q\" is not an escape. Escapes are \\n \\t \\r \\v \\a "
            "\\e \\0 \\\\");
  EXPECT_EQ(print("%99999999999999999999t"),
            "format \"%99999999999999999999t\": a field is at most 10000 wide.");
}

}  // namespace
}  // namespace hermod::app
