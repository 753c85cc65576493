// SPDX-License-Identifier: Apache-2.0
// The CoAP scenarios against a server in this process. Counts are asserted, times never.
#include <gtest/gtest.h>

#include "coap_responder.hpp"
#include "hermod/load/run.hpp"
#include "served.hpp"

namespace hermod::load {
namespace {

using Behaviour = CoapResponder::Behaviour;

Options coap_options(Scenario scenario, std::uint16_t port) {
  Options options{.scenario = scenario,
                  .url = {.scheme = Url::Scheme::kCoap, .host = "127.0.0.1", .port = port}};
  options.clients = 3;
  options.messages = 100;
  return options;
}

std::unique_ptr<CoapResponder> responder(Behaviour behaviour = {}) {
  return std::make_unique<CoapResponder>(std::move(behaviour));
}

class Request : public testing::TestWithParam<std::tuple<Scenario, bool, unsigned>> {};

TEST_P(Request, CountsEveryAnswer) {
  const auto [scenario, separate, threads] = GetParam();
  Served<CoapResponder> server(responder({.separate = separate}));
  Options options = coap_options(scenario, server->port());
  options.window = 4;
  options.threads = threads;
  const auto report = run(options);
  ASSERT_TRUE(report) << report.error();
  const Counts& counts = report->runs[0].counts;
  EXPECT_EQ(counts.sent, 300u);
  EXPECT_EQ(counts.received, 300u);
  EXPECT_EQ(counts.lost, 0u);
  EXPECT_EQ(counts.refused, 0u);
  EXPECT_EQ(counts.unexpected, 0u);
}

INSTANTIATE_TEST_SUITE_P(Responder, Request,
                         testing::Combine(testing::Values(Scenario::kCoapGet, Scenario::kCoapPut),
                                          testing::Values(false, true), testing::Values(1u, 2u)));

TEST(CoapGet, SendsAgainWhatWasIgnored) {
  // Ping, GET, PUT of the set-up come first; a datagram in the middle of the load is ignored.
  Served<CoapResponder> server(
      responder({.ignores = [](std::uint64_t number) { return number == 60; }}));
  const auto report = run(coap_options(Scenario::kCoapGet, server->port()));
  ASSERT_TRUE(report) << report.error();
  EXPECT_EQ(report->runs[0].counts.retransmitted, 1u);
  EXPECT_EQ(report->runs[0].counts.received, 300u);
  EXPECT_EQ(report->runs[0].counts.lost, 0u);
}

TEST(CoapGet, NamesTheResourceThatIsMissing) {
  Served<CoapResponder> server(responder({.put_allowed = false}));
  Options options = coap_options(Scenario::kCoapGet, server->port());
  options.url.path = "no/thing";
  const auto report = run(options);
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().find("/no/thing is answered with 4.04"), std::string::npos)
      << report.error();
}

TEST(CoapObserve, CountsEveryNotification) {
  for (const unsigned threads : {1u, 2u}) {
    Served<CoapResponder> server(responder());
    Options options = coap_options(Scenario::kCoapObserve, server->port());
    options.clients = 5;
    options.threads = threads;
    const auto report = run(options);
    ASSERT_TRUE(report) << report.error();
    const Measurement& run = report->runs[0];
    EXPECT_EQ(run.counts.sent, 100u);
    EXPECT_EQ(run.counts.expected, 500u);
    EXPECT_EQ(run.counts.received, 500u);
    EXPECT_EQ(run.operations, 500u);
    EXPECT_EQ(run.counts.lost + run.counts.skipped + run.counts.unexpected, 0u);
    ASSERT_TRUE(run.latency);
    EXPECT_EQ(run.latency->count, 500u);
  }
}

TEST(CoapObserve, DoesNotCallSkippedValuesLost) {
  // One PUT comes from the set-up, so the last value is number 101.
  Served<CoapResponder> server(responder({.notify_every = 4, .last = 101}));
  Options options = coap_options(Scenario::kCoapObserve, server->port());
  options.window = 8;
  const auto report = run(options);
  ASSERT_TRUE(report) << report.error();
  const Counts& counts = report->runs[0].counts;
  EXPECT_EQ(counts.sent, 100u);
  EXPECT_EQ(counts.lost, 0u);
  EXPECT_EQ(counts.received, 3u * 26);
  EXPECT_EQ(counts.skipped, 3u * 74);
}

TEST(CoapObserve, SaysWhenAResourceCannotBeObserved) {
  Served<CoapResponder> server(responder({.observable = false}));
  const auto report = run(coap_options(Scenario::kCoapObserve, server->port()));
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().find("does not let"), std::string::npos) << report.error();
}

}  // namespace
}  // namespace hermod::load
