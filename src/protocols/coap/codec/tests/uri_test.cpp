// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/codec/uri.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hermod/coap/codec/writer.hpp"

namespace hermod::coap::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Uri parsed(std::string_view text) {
  const auto uri = parse_uri(text);
  EXPECT_TRUE(uri.has_value()) << text << ": " << (uri ? "" : uri.error().reason);
  return uri.value_or(Uri{});
}

// The three equivalent addresses of RFC 7252 §6.3.
TEST(ParseUri, NormalisesEquivalentAddresses) {
  for (const char* text :
       {"coap://example.com:5683/~sensors/temp.xml", "coap://EXAMPLE.com/%7Esensors/temp.xml",
        "coap://EXAMPLE.com:/%7esensors/temp.xml", "COAP://example.com/~sensors/temp.xml"}) {
    const Uri uri = parsed(text);
    EXPECT_EQ(uri.host, "example.com");
    EXPECT_FALSE(uri.host_is_address);
    EXPECT_EQ(uri.port, 5683);
    EXPECT_THAT(uri.path, ElementsAre("~sensors", "temp.xml"));
    EXPECT_THAT(uri.query, IsEmpty());
    EXPECT_EQ(to_string(uri), "coap://example.com/~sensors/temp.xml");
  }
}

// RFC 7252 Appendix B.
TEST(ParseUri, FollowsTheExamplesOfAppendixB) {
  EXPECT_THAT(parsed("coap://[2001:db8::2:1]/").path, IsEmpty());
  EXPECT_TRUE(parsed("coap://[2001:db8::2:1]/").host_is_address);
  EXPECT_EQ(parsed("coap://example.net").host, "example.net");
  EXPECT_THAT(parsed("coap://example.net/.well-known/core").path,
              ElementsAre(".well-known", "core"));
  EXPECT_EQ(
      parsed("coap://xn--18j4d.example/%E3%81%93%E3%82%93%E3%81%AB%E3%81%A1%E3%81%AF").path[0],
      "\u3053\u3093\u306b\u3061\u306f");
  const Uri odd = parsed("coap://198.51.100.1:61616//%2F//?%2F%2F&?%26");
  EXPECT_TRUE(odd.host_is_address);
  EXPECT_EQ(odd.port, 61616);
  EXPECT_THAT(odd.path, ElementsAre("", "/", "", ""));
  EXPECT_THAT(odd.query, ElementsAre("//", "?&"));
  EXPECT_EQ(to_string(odd), "coap://198.51.100.1:61616//%2F//?//&?%26");
}

TEST(ParseUri, TellsAddressesFromNames) {
  EXPECT_TRUE(parsed("coap://127.0.0.1/a").host_is_address);
  EXPECT_FALSE(parsed("coap://127.0.0.1.example/a").host_is_address);
  EXPECT_FALSE(parsed("coap://1.2.3/a").host_is_address);
  EXPECT_FALSE(parsed("coap://1.2.3.256/a").host_is_address);
  EXPECT_EQ(parsed("coap://[::1]:7/a").host, "::1");
  EXPECT_EQ(parsed("coap://[::1]:7/a").port, 7);
  EXPECT_EQ(to_string(parsed("coap://[::1]:7/a")), "coap://[::1]:7/a");
  // RFC 6874 §2: a zone, whose name is as it is
  EXPECT_EQ(parsed("coap://[FE80::1%25Eth0]/a").host, "fe80::1%Eth0");
  EXPECT_EQ(to_string(parsed("coap://[FE80::1%25Eth0]/a")), "coap://[fe80::1%25Eth0]/a");
}

TEST(ParseUri, KnowsTheSecureScheme) {
  EXPECT_TRUE(parsed("coaps://h/").secure);
  EXPECT_EQ(parsed("coaps://h/").port, 5684);
  EXPECT_EQ(to_string(parsed("coaps://h:5684")), "coaps://h/");
}

TEST(ParseUri, ResolvesDotSegments) {
  EXPECT_THAT(parsed("coap://h/a/./b/../c").path, ElementsAre("a", "c"));
  EXPECT_THAT(parsed("coap://h/../..").path, IsEmpty());
  EXPECT_THAT(parsed("coap://h/a/..").path, IsEmpty());
  EXPECT_THAT(parsed("coap://h/a/b/..").path, ElementsAre("a", ""));
  // never a Uri-Path "." or "..", percent-encoded or not: RFC 7252 §5.10.1
  EXPECT_THAT(parsed("coap://h/a/%2e%2E/b").path, ElementsAre("b"));
}

TEST(ParseUri, TakesUnicodeAsItIsTyped) {
  EXPECT_THAT(parsed("coap://h/K\u00fcche").path, ElementsAre("K\u00fcche"));
  EXPECT_EQ(to_string(parsed("coap://h/K\u00fcche")), "coap://h/K%C3%BCche");
}

TEST(ParseUri, RefusesAndSaysWhere) {
  const std::string long_part(256, 'a');
  struct Row {
    std::string text;
    std::size_t offset;
  };
  for (const Row& row : {Row{"", 0},
                         Row{"/ps/data/a", 0},
                         Row{"example.com/a", 0},
                         Row{"http://h/a", 0},
                         Row{"coap+tcp://h/a", 0},
                         Row{"coap:///a", 7},
                         Row{"coap://", 7},
                         Row{"coap://:5683/", 7},
                         Row{"coap://user@h/a", 7},
                         Row{"coap://h%2fx/a", 7},
                         Row{"coap://h h/a", 7},
                         Row{"coap://[::1/a", 7},
                         Row{"coap://[host]/a", 8},
                         Row{"coap://[]/a", 8},
                         Row{"coap://[::1]x/a", 12},
                         Row{"coap://[fe80::1%25]/a", 15},
                         Row{"coap://[fe80::1%25a%20]/a", 15},
                         Row{"coap://[fe80::1%eth0]/a", 8},
                         Row{"coap://[%25eth0]/a", 8},
                         Row{"coap://a%3ab/a", 7},
                         Row{"coap://h:0/a", 9},
                         Row{"coap://h:65536/a", 9},
                         Row{"coap://h:12x/a", 9},
                         Row{"coap://h:-1/a", 9},
                         Row{"coap://h/a#b", 10},
                         Row{"coap://h?x#", 10},
                         Row{"coap://h/a%", 10},
                         Row{"coap://h/a%4", 10},
                         Row{"coap://h/ab/%4g", 12},
                         Row{"coap://h/a?x=%zz", 13},
                         Row{"coap://h/a b", 10},
                         Row{"coap://h/a\x7f", 10},
                         Row{"coap://h/%ff", 9},
                         Row{"coap://h/\xc3", 9},
                         Row{"coap://h/" + long_part, 9},
                         Row{"coap://h/?" + long_part, 10},
                         Row{"coap://" + long_part + "/", 7}}) {
    SCOPED_TRACE(row.text);
    const auto uri = parse_uri(row.text);
    ASSERT_FALSE(uri.has_value());
    EXPECT_EQ(uri.error().offset, row.offset) << uri.error().reason;
    EXPECT_STRNE(uri.error().reason, "");
  }
}

TEST(ParseUri, AcceptsTheLongestPart) {
  EXPECT_EQ(parsed("coap://h/" + std::string(255, 'a')).path[0].size(), 255u);
}

// RFC 7252 §6.5: options to text and back.
TEST(PathText, ReversesTheParsing) {
  for (const char* path : {"/", "/ps/data/a%20b", "//%2F//", "/a/",
                           "/%E2%82%AC/x:@!$&'()*+,;=", "/%25", "/.well-known/core"}) {
    const Uri uri = parsed(std::string("coap://h") + path);
    std::vector<std::uint8_t> octets(256);
    BodyWriter body(octets.data());
    for (const std::string& segment : uri.path) body.option(OptionNumber::kUriPath, segment);
    EXPECT_EQ(path_text(Options{{octets.data(), body.position()}}), path);
  }
}

TEST(QueryText, JoinsArguments) {
  std::vector<std::uint8_t> octets(64);
  BodyWriter body(octets.data());
  body.option(OptionNumber::kUriPath, "p");
  body.option(OptionNumber::kUriQuery, "a=1&2");
  body.option(OptionNumber::kUriQuery, "b/?");
  const Options options{{octets.data(), body.position()}};
  EXPECT_EQ(query_text(options), "?a=1%262&b/?");
  EXPECT_EQ(query_text({}), "");
  EXPECT_EQ(path_text(options, OptionNumber::kLocationPath), "/");
}

TEST(PercentDecode, IsStrict) {
  EXPECT_EQ(percent_decode("a%2Fb").value(), "a/b");
  EXPECT_EQ(percent_decode("%00").value(), std::string(1, '\0'));
  EXPECT_EQ(percent_decode("").value(), "");
  EXPECT_EQ(percent_decode("ab%").error().offset, 2u);
  EXPECT_EQ(percent_decode("%-1").error().offset, 0u);
}

TEST(AppendSegment, EncodesWhatIsNotPlain) {
  std::string out = "/ps/data";
  append_segment(out, "a b/c?d%20");
  append_segment(out, "");
  append_segment(out, "$SYS:x@y");
  EXPECT_EQ(out, "/ps/data/a%20b%2Fc%3Fd%2520//$SYS:x@y");
}

}  // namespace
}  // namespace hermod::coap::test
