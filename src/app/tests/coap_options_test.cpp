// SPDX-License-Identifier: Apache-2.0
// The requests that follow from the command lines of get, put and their like.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "commands/coap_options.hpp"

namespace hermod::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

CoapCommandOptions of(CoapVerb verb, std::string url = "coap://127.0.0.1/a") {
  CoapCommandOptions options;
  options.verb = verb;
  options.url = std::move(url);
  return options;
}

std::string error(CoapCommandOptions options) {
  const auto checked = complete(options);
  return checked ? "accepted" : checked.error();
}

TEST(CoapOptions, UrlsSayWhereAndWhat) {
  auto options = of(CoapVerb::kGet, "coap://[::1]:77/a%2Fb/c?x=1&y");
  ASSERT_TRUE(complete(options));
  EXPECT_EQ(options.client.host, "::1");
  EXPECT_EQ(options.client.port, 77);
  EXPECT_THAT(options.request.path, ElementsAre("a/b", "c"));
  EXPECT_THAT(options.request.query, ElementsAre("x=1", "y"));
  EXPECT_EQ(options.request.method, coap::code::kGet);
}

// RFC 7252 §6.4: an address needs no Uri-Host, a name does.
TEST(CoapOptions, NamesOfHostsAreTold) {
  auto named = of(CoapVerb::kGet, "coap://Example.net/a");
  ASSERT_TRUE(complete(named));
  EXPECT_EQ(named.request.uri_host, "example.net");
  auto silent = of(CoapVerb::kGet, "coap://example.net/a");
  silent.no_uri_host = true;
  ASSERT_TRUE(complete(silent));
  EXPECT_EQ(silent.request.uri_host, "");
  auto address = of(CoapVerb::kGet);
  ASSERT_TRUE(complete(address));
  EXPECT_EQ(address.request.uri_host, "");
}

TEST(CoapOptions, DiscoveryHasItsPlaceAndItsFilters) {
  auto options = of(CoapVerb::kDiscover, "coap://127.0.0.1");
  options.filters = {"rt=x", "href=/a*"};
  ASSERT_TRUE(complete(options));
  EXPECT_THAT(options.request.path, ElementsAre(".well-known", "core"));
  EXPECT_THAT(options.request.query, ElementsAre("rt=x", "href=/a*"));
  EXPECT_EQ(options.request.accept, coap::ContentFormat::kLinkFormat);
  auto collection = of(CoapVerb::kDiscover, "coap://127.0.0.1/ps");
  ASSERT_TRUE(complete(collection));
  EXPECT_THAT(collection.request.path, ElementsAre("ps"));
}

TEST(CoapOptions, GroupsAreAskedWhatThereIs) {
  auto options = of(CoapVerb::kDiscover, "coap://224.0.1.187");
  options.interface = "eth0";
  ASSERT_TRUE(complete(options));
  EXPECT_TRUE(options.group);
  EXPECT_EQ(options.interface, "eth0");
  auto zone = of(CoapVerb::kDiscover, "coap://[ff02::fd%25eth0]:7/ps");
  ASSERT_TRUE(complete(zone));
  EXPECT_TRUE(zone.group);
  EXPECT_EQ(zone.client.host, "ff02::fd");
  EXPECT_EQ(zone.interface, "eth0");
  auto get = of(CoapVerb::kGet, "coap://[ff02::fd]/a");
  EXPECT_EQ(complete(get).error(),
            "ff02::fd is a multicast group: ask `hermod discover coap://[ff02::fd]/` which servers "
            "are there, and then one of them.");
  auto one = of(CoapVerb::kDiscover, "coap://127.0.0.1");
  EXPECT_TRUE(complete(one));
  EXPECT_FALSE(one.group);
  one.interface = "eth0";
  EXPECT_EQ(complete(one).error(),
            "--interface is for a multicast group, such as coap://224.0.1.187.");
}

TEST(CoapOptions, ObservingWithAPayloadIsAFetch) {
  auto options = of(CoapVerb::kObserve);
  ASSERT_TRUE(complete(options));
  EXPECT_EQ(options.request.method, coap::code::kGet);
  auto fetch = of(CoapVerb::kObserve);
  fetch.payload = "x";
  ASSERT_TRUE(complete(fetch));
  EXPECT_EQ(fetch.request.method, coap::code::kFetch);
  EXPECT_EQ(fetch.request.payload, "x");
}

TEST(CoapOptions, ContentFormatsHaveNamesAndNumbers) {
  EXPECT_EQ(read_content_format("json"), coap::ContentFormat::kJson);
  EXPECT_EQ(read_content_format("application/cbor"), coap::ContentFormat::kCbor);
  EXPECT_EQ(read_content_format("606"), coap::ContentFormat::kPubSub);
  EXPECT_EQ(read_content_format("65535"), coap::ContentFormat{65535});
  EXPECT_FALSE(read_content_format("65536"));
  EXPECT_THAT(read_content_format("jsno").error(), HasSubstr("Did you mean \"json\"?"));
}

TEST(CoapOptions, OctetsAreTextOrHexadecimal) {
  EXPECT_EQ(read_octets("text"), "text");
  EXPECT_EQ(read_octets("0x00fF"), std::string("\x00\xff", 2));
  EXPECT_EQ(read_octets("0x"), "");
  EXPECT_FALSE(read_octets("0x0"));
  EXPECT_FALSE(read_octets("0x0g"));
  EXPECT_FALSE(read_octets("0x-1"));
}

TEST(CoapOptions, RawOptionsHaveANumberAndAValue) {
  auto options = of(CoapVerb::kGet);
  options.raw_options = {"2048,a,b", "9,0x01", "5"};
  ASSERT_TRUE(complete(options));
  ASSERT_EQ(options.request.options.size(), 3u);
  EXPECT_EQ(options.request.options[0].value, "a,b");
  EXPECT_EQ(options.request.options[1].number, 9);
  EXPECT_EQ(options.request.options[1].value, "\x01");
  EXPECT_EQ(options.request.options[2].value, "");
  options.raw_options = {"65536,x"};
  EXPECT_THAT(error(options), HasSubstr("-O is \"65536,x\""));
}

TEST(CoapOptions, BlocksHaveASizeAndMayHaveANumber) {
  auto options = of(CoapVerb::kGet);
  options.block = "64";
  ASSERT_TRUE(complete(options));
  EXPECT_EQ(options.request.block, (coap::Block{.number = 0, .size_exponent = 2}));
  options.block = "3,1024";
  ASSERT_TRUE(complete(options));
  EXPECT_EQ(options.request.block, (coap::Block{.number = 3, .size_exponent = 6}));
  for (const char* wrong : {"15", "2048", "x", "1,", ",16", "1048576,16"}) {
    options.block = wrong;
    EXPECT_THAT(error(options), HasSubstr("-b is")) << wrong;
  }
}

TEST(CoapOptions, AProxyIsToldTheUrl) {
  auto options = of(CoapVerb::kGet, "coap://example.net:99/a?b");
  options.proxy = "coap://127.0.0.1:7";
  ASSERT_TRUE(complete(options));
  EXPECT_EQ(options.request.proxy_uri, "coap://example.net:99/a?b");
  EXPECT_TRUE(options.request.path.empty());
  EXPECT_EQ(options.client.host, "127.0.0.1");
  EXPECT_EQ(options.client.port, 7);
  options = of(CoapVerb::kGet);
  options.proxy = "h";
  EXPECT_EQ(error(options), "-P: \"h\" is not a URL: write coap://h.");
}

TEST(CoapOptions, NoResponseIsASum) {
  auto options = of(CoapVerb::kPut);
  options.no_response = "all";
  ASSERT_TRUE(complete(options));
  EXPECT_EQ(options.request.no_response, 26);
  options.no_response = "2";
  ASSERT_TRUE(complete(options));
  EXPECT_EQ(options.request.no_response, 2);
  options.no_response = "none";
  EXPECT_THAT(error(options), HasSubstr("--no-response is \"none\""));
}

TEST(CoapOptions, WrongLinesSayWhatIsRight) {
  EXPECT_EQ(error(of(CoapVerb::kGet, "")),
            "there is no URL: give one, such as coap://localhost/path.");
  EXPECT_THAT(error(of(CoapVerb::kGet, "http://h/a")), HasSubstr("is wrong at character 1"));
  EXPECT_THAT(error(of(CoapVerb::kGet, "coaps://h/a")), HasSubstr("no DTLS yet"));
  auto tag = of(CoapVerb::kPut);
  tag.if_match = {"123456789"};
  EXPECT_EQ(error(tag), "--if-match: an entity tag has at most 8 octets.");
  auto token = of(CoapVerb::kGet);
  token.token = "123456789";
  EXPECT_EQ(error(token), "-T: a token has at most 8 octets.");
  auto both = of(CoapVerb::kGet);
  both.json = both.pretty = true;
  EXPECT_THAT(error(both), HasSubstr("--json excludes"));
  auto silent = of(CoapVerb::kObserve);
  silent.no_response = "all";
  EXPECT_THAT(error(silent), HasSubstr("leave out --no-response"));
}

}  // namespace
}  // namespace hermod::app
