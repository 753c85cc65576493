// SPDX-License-Identifier: Apache-2.0
// URLs: what they mean, and the exact words for wrong ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "text/url.hpp"

namespace hermod::app {
namespace {

Url url(std::string_view text) {
  auto parsed = parse_url(text);
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error());
  return parsed.value_or(Url{});
}

std::string error(std::string_view text) {
  const auto parsed = parse_url(text);
  return parsed ? "accepted" : parsed.error();
}

TEST(Url, HasHostAndTopic) {
  const Url parsed = url("mqtt://localhost/Temperature/Kitchen");
  EXPECT_EQ(parsed.scheme, Scheme::kMqtt);
  EXPECT_EQ(parsed.host, "localhost");
  EXPECT_EQ(parsed.port, 1883);
  EXPECT_EQ(parsed.topic, "Temperature/Kitchen");
  EXPECT_FALSE(parsed.user.has_value());
  EXPECT_FALSE(parsed.password.has_value());
}

TEST(Url, HasUserPasswordAndPort) {
  const Url parsed = url("mqtt://me%40home:p%3Aw@ss@10.0.0.1:1900/a");
  EXPECT_EQ(parsed.user, "me@home");
  EXPECT_EQ(parsed.password, "p:w@ss");
  EXPECT_EQ(parsed.host, "10.0.0.1");
  EXPECT_EQ(parsed.port, 1900);
  EXPECT_EQ(url("mqtt://me@h").user, "me");
  EXPECT_FALSE(url("mqtt://me@h").password.has_value());
  EXPECT_EQ(url("mqtt://me:@h").password, "");
}

TEST(Url, TakesIpv6InBrackets) {
  EXPECT_EQ(url("mqtt://[::1]/a").host, "::1");
  EXPECT_EQ(url("mqtt://[::1]/a").port, 1883);
  EXPECT_EQ(url("coap://[fe80::1%25eth0]:1000/a").port, 1000);
}

TEST(Url, TopicIsEverythingAfterTheSlash) {
  EXPECT_EQ(url("mqtt://h/a/#").topic, "a/#");
  EXPECT_EQ(url("mqtt://h/+/b?c").topic, "+/b?c");
  EXPECT_EQ(url("mqtt://h//a/").topic, "/a/");
  EXPECT_EQ(url("mqtt://h/a%20b/%c3%A9").topic, "a b/\xc3\xa9");
  EXPECT_EQ(url("mqtt://h").topic, "");
  EXPECT_EQ(url("mqtt://h/").topic, "");
}

TEST(Url, CoapPathsAreTopicsWithOrWithoutTheirPrefix) {
  EXPECT_EQ(url("coap://h/ps/data/a/b").topic, "a/b");
  EXPECT_EQ(url("coap://h/a/b").topic, "a/b");
  EXPECT_EQ(url("coap://h/a/b").port, 5683);
  EXPECT_EQ(url("coap://h/a/b").scheme, Scheme::kCoap);
  EXPECT_EQ(url("coap://h/ps/data").topic, "ps/data");
  EXPECT_EQ(error("coap://h/a?b"),
            "URL \"coap://h/a?b\": a CoAP URL of a topic has no query. A question mark in a topic "
            "is written %3F.");
}

TEST(Url, WrongOnesAreExplained) {
  EXPECT_EQ(error("mqt://h/a"),
            "URL \"mqt://h/a\": \"mqt://\" is not a scheme that Hermod knows. Supported are mqtt, "
            "coap. Did you mean \"mqtt\"?");
  EXPECT_EQ(
      error("mqtts://h/a"),
      "URL \"mqtts://h/a\": \"mqtts://\" is not supported yet: there is no TLS. Use mqtt:// on a "
      "network that you trust, or connect to a program that adds TLS, such as stunnel.");
  EXPECT_EQ(error("ws://h/a"),
            "URL \"ws://h/a\": \"ws://\" is not supported yet. Supported are mqtt, coap.");
  EXPECT_EQ(error("mqtt:///a"),
            "URL \"mqtt:///a\": there is no host. The form is "
            "mqtt://[user[:password]@]host[:port]/topic");
  EXPECT_EQ(error("mqtt://h:0/a"),
            "URL \"mqtt://h:0/a\": the port is \"0\", but must be a whole number from 1 to 65535.");
  EXPECT_THAT(error("mqtt://::1/a"), testing::HasSubstr("stands in brackets"));
  EXPECT_EQ(error("mqtt://[::1/a"),
            "URL \"mqtt://[::1/a\": the ] after the IPv6 address is missing.");
  EXPECT_EQ(error("mqtt://[::1]x/a"),
            "URL \"mqtt://[::1]x/a\": after the ] of an IPv6 address comes :port or /topic.");
  EXPECT_EQ(
      error("mqtt://h/a%2"),
      "URL \"mqtt://h/a%2\": \"%2\" is not a percent code: two hexadecimal digits must follow "
      "the %. A percent sign itself is written %25.");
  EXPECT_THAT(error("mqtt://h/a%zzb"), testing::HasSubstr("\"%zz\" is not a percent code"));
  EXPECT_THAT(error("localhost"), testing::HasSubstr("there is no \"://\""));
}

TEST(Url, PercentSignsMayStandForThemselves) {
  const auto url = parse_url("mqtt://m%40e:p%w@h/a%20b", false);
  ASSERT_TRUE(url);
  EXPECT_EQ(url->user, "m%40e");
  EXPECT_EQ(url->password, "p%w");
  EXPECT_EQ(url->topic, "a%20b");
}

TEST(Url, ProxiesHaveAFormOfTheirOwn) {
  const auto whole = parse_proxy("socks5h://m%40e:p%3Aw@[::1]:77");
  ASSERT_TRUE(whole) << whole.error();
  EXPECT_EQ(whole->user, "m@e");
  EXPECT_EQ(whole->password, "p:w");
  EXPECT_EQ(whole->host, "::1");
  EXPECT_EQ(whole->port, 77);
  const auto least = parse_proxy("socks5h://h");
  ASSERT_TRUE(least) << least.error();
  EXPECT_FALSE(least->user);
  EXPECT_EQ(least->host, "h");
  EXPECT_EQ(least->port, 1080);
  EXPECT_EQ(
      parse_proxy("socks5://h").error(),
      "--proxy \"socks5://h\": only SOCKS5 proxies that look names up themselves are "
      "supported. The form is socks5h://[user[:password]@]host[:port]; the port is 1080 if not "
      "given.");
  EXPECT_THAT(parse_proxy("socks5h://").error(), testing::HasSubstr("there is no host"));
  EXPECT_THAT(parse_proxy("socks5h://h/a").error(), testing::HasSubstr("nothing follows host"));
  EXPECT_THAT(parse_proxy("socks5h://%zz@h").error(), testing::HasSubstr("not a percent code"));
}

TEST(Url, IsRecognisedByItsForm) {
  EXPECT_TRUE(looks_like_url("mqtt://h"));
  EXPECT_TRUE(looks_like_url("coap+tcp://h"));
  EXPECT_FALSE(looks_like_url("a/b"));
  EXPECT_FALSE(looks_like_url("://h"));
  EXPECT_FALSE(looks_like_url("a/b://h"));
}

}  // namespace
}  // namespace hermod::app
