// SPDX-License-Identifier: Apache-2.0
#include "hermod/load/report.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace hermod::load {
namespace {

Measurement run_with(double per_cpu_s) {
  return {.seconds = 2,
          .operations = 1000,
          .per_second = 500,
          .counts = {.sent = 10, .expected = 1000, .received = 998, .lost = 2},
          .server = ServerUse{.cpu_s = 1, .utilisation = 0.5, .per_cpu_s = per_cpu_s},
          .latency = Quantiles{.count = 1000, .p50_us = 20, .p99_us = 300},
          .generator_cpu_s = 0.4,
          .generator_utilisation = 0.2};
}

Report report_with(std::vector<double> per_cpu_s, Scenario scenario = Scenario::kFanOut) {
  Report report{.options = *resolve({.scenario = scenario}),
                .machine = {.processor = "cpu", .cores = 2, .kernel = "Linux"},
                .hermod_version = "1.2.3",
                .server = "some server 9"};
  for (const double value : per_cpu_s) report.runs.push_back(run_with(value));
  return report;
}

TEST(Spread, IsMedianLeastAndGreatest) {
  const Spread odd = spread({3, 1, 2});
  EXPECT_EQ(odd.median, 2);
  EXPECT_EQ(odd.min, 1);
  EXPECT_EQ(odd.max, 3);
  EXPECT_EQ(spread({4, 1, 2, 3}).median, 2.5);
  EXPECT_EQ(spread({}).median, 0);
}

TEST(ShortNumber, KeepsWhatMatters) {
  EXPECT_EQ(short_number(890), "890");
  EXPECT_EQ(short_number(9999), "9999");
  EXPECT_EQ(short_number(56'700), "56.7 k");
  EXPECT_EQ(short_number(1'234'000), "1.234 M");
}

TEST(Report, JsonHoldsEverything) {
  const auto json = boost::json::parse(to_json(report_with({100, 300, 200}))).as_object();
  EXPECT_EQ(json.at("format").as_int64(), kReportFormat);
  EXPECT_EQ(json.at("hermod_version").as_string(), "1.2.3");
  EXPECT_EQ(json.at("server").as_string(), "some server 9");
  EXPECT_EQ(json.at("machine").at("cores").to_number<int>(), 2);
  EXPECT_EQ(json.at("options").at("scenario").as_string(), "fan-out");
  EXPECT_EQ(json.at("options").at("subscribers").to_number<int>(), 100);
  EXPECT_EQ(json.at("operation").as_string(), "deliveries");
  EXPECT_EQ(json.at("results").at("per_server_cpu_s").at("median").to_number<double>(), 200);
  EXPECT_EQ(json.at("results").at("per_server_cpu_s").at("max").to_number<double>(), 300);
  const auto& runs = json.at("runs").as_array();
  ASSERT_EQ(runs.size(), 3u);
  EXPECT_EQ(runs[0].at("counts").at("lost").to_number<int>(), 2);
  EXPECT_EQ(runs[0].at("latency").at("p99_us").to_number<double>(), 300);
  EXPECT_FALSE(runs[0].as_object().contains("memory"));
  EXPECT_EQ(json.at("command").as_string(), command_line(report_with({}).options));
}

TEST(Report, SummarySaysFiguresCountsAndTheCommand) {
  const std::string text = summary(report_with({100, 300, 200}));
  EXPECT_NE(text.find("fan-out 1:100 QoS 0, 16 octets, window 256"), std::string::npos) << text;
  EXPECT_NE(text.find("200 (100 to 300) deliveries per CPU second"), std::string::npos) << text;
  EXPECT_NE(text.find("2994 of 3000 received; lost 6"), std::string::npos) << text;
  EXPECT_NE(text.find("hermod bench fan-out"), std::string::npos) << text;
  EXPECT_EQ(text.find("was the limit"), std::string::npos) << text;
}

TEST(Report, SummarySaysWhenTheGeneratorWasTheLimit) {
  Report report = report_with({100});
  report.runs[0].generator_limited = true;
  EXPECT_NE(summary(report).find("The generator was the limit"), std::string::npos);
  report.options.scenario = Scenario::kLatency;
  EXPECT_NE(summary(report).find("The generator sent late"), std::string::npos);
}

}  // namespace
}  // namespace hermod::load
