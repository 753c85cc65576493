// SPDX-License-Identifier: Apache-2.0
// CoAP responses as text.
#include "commands/coap_format.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace hermod::app {
namespace {

using client::CoapOption;

std::string pretty(std::string_view payload, std::optional<coap::ContentFormat> format = {},
                   coap::Code code = coap::code::kContent) {
  std::string out;
  append_pretty(out, {.code = code, .payload = payload, .format = format});
  return out;
}

TEST(CoapFormat, CodesHaveNames) {
  EXPECT_EQ(code_text(coap::code::kNotFound), "4.04 Not Found");
  EXPECT_EQ(code_text(coap::Code::of(4, 31)), "4.31");
}

TEST(CoapFormat, OptionsAreReadByTheirFormat) {
  EXPECT_EQ(option_line({4, "\xca\xfe"}), "ETag: 0xcafe");
  EXPECT_EQ(option_line({12, "\x32"}), "Content-Format: 50 (application/json)");
  EXPECT_EQ(option_line({12, ""}), "Content-Format: 0 (text/plain;charset=utf-8)");
  EXPECT_EQ(option_line({8, "a"}), "Location-Path: a");
  EXPECT_EQ(option_line({23, "\x2c"}), "Block2: 2/1/256");
  EXPECT_EQ(option_line({14, std::string("\x01\x00", 2)}), "Max-Age: 256");
  EXPECT_EQ(option_line({2048, "x"}), "2048: 0x78");
  EXPECT_EQ(option_line({8, "\xff"}), "Location-Path: 0xff");
}

TEST(CoapFormat, LaysOutJsonLinksAndOctets) {
  EXPECT_EQ(pretty("{\"a\":[1,2]}", coap::ContentFormat::kJson), "{\n\t\"a\":\t[1, 2]\n}\n");
  EXPECT_EQ(pretty("{broken", coap::ContentFormat::kJson), "{broken\n");
  EXPECT_EQ(pretty("</a>;rt=\"x y\";obs,</b>;ct=40", coap::ContentFormat::kLinkFormat),
            "/a  rt=x y  obs\n/b  ct=40\n");
  EXPECT_EQ(pretty("no links", coap::ContentFormat::kLinkFormat), "no links\n");
  EXPECT_EQ(pretty("\xa1\x01\x82\x02\x03", coap::ContentFormat::kCbor),
            "{\n  1: [\n    2,\n    3\n  ]\n}\n");
  EXPECT_EQ(pretty("\xa1\x01\xa0", coap::ContentFormat::kPubSub), "{\n  1: {}\n}\n");
  EXPECT_EQ(pretty("{\"a\":1}", coap::ContentFormat{110}), "{\n\t\"a\":\t1\n}\n");      // SenML
  EXPECT_EQ(pretty("\xa1", coap::ContentFormat::kCbor).substr(0, 12), "00000000  a1");  // cut off
  EXPECT_EQ(pretty("text\n"), "text\n");
  EXPECT_EQ(pretty("\xff"
                   "A"),
            "00000000  ff 41                                            .A\n");
  EXPECT_EQ(pretty("", {}, coap::code::kChanged), "2.04 Changed\n");
}

TEST(CoapFormat, ListsLinksOneALine) {
  std::string out;
  EXPECT_TRUE(append_link_lines(out, "</a>;rt=\"x\" , </b>"));
  EXPECT_EQ(out, "</a>;rt=\"x\"\n</b>\n");
  EXPECT_FALSE(append_link_lines(out, "</a>,no"));
  EXPECT_EQ(out, "</a>;rt=\"x\"\n</b>\n");
}

TEST(CoapFormat, WritesOneJsonObject) {
  const std::vector<CoapOption> options{{4, "\x01"},  {8, "a"}, {8, "b"},
                                        {14, "\x3c"}, {5, ""},  {2049, "q"}};
  std::string out;
  append_json(out, {.code = coap::code::kCreated,
                    .payload = "he\"y",
                    .format = coap::ContentFormat::kTextPlain,
                    .options = options,
                    .round_trip_ms = 1.25});
  EXPECT_EQ(out,
            "{\"code\":\"2.01\",\"name\":\"Created\",\"options\":{\"ETag\":[\"0x01\"],"
            "\"Location-Path\":[\"a\",\"b\"],\"Max-Age\":60,\"If-None-Match\":true,"
            "\"2049\":[\"0x71\"]},\"content_type\":\"text/plain;charset=utf-8\","
            "\"payload\":\"he\\\"y\",\"bytes\":4,\"ms\":1.250}\n");
  out.clear();
  append_json(out, {.code = coap::code::kContent, .payload = "\xff"});
  EXPECT_EQ(out,
            "{\"code\":\"2.05\",\"name\":\"Content\",\"options\":{},\"payload_base64\":\"/w==\","
            "\"bytes\":1}\n");
}

TEST(CoapFormat, FindsTheNextPage) {
  EXPECT_EQ(next_page("</a>;rel=\"prev\",</b?p=2>;rel=\"next\",</c>"), "/b?p=2");
  EXPECT_EQ(next_page("</a>"), "");
  EXPECT_EQ(next_page("nonsense"), "");
}

}  // namespace
}  // namespace hermod::app
