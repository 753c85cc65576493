// SPDX-License-Identifier: Apache-2.0
#include "hermod/load/compare.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "hermod/load/scale.hpp"

namespace hermod::load {
namespace {

Report report_of(std::vector<double> per_cpu_s, Scenario scenario = Scenario::kFanOut) {
  Report report{.options = *resolve({.scenario = scenario})};
  for (const double value : per_cpu_s) {
    report.runs.push_back(
        {.seconds = 2,
         .operations = 1000,
         .server = ServerUse{.cpu_s = 1, .utilisation = 0.95, .per_cpu_s = value}});
  }
  return report;
}

Contender contender(std::string name, Role role, Report report) {
  return {.name = std::move(name),
          .role = role,
          .options = report.options,
          .report = std::move(report)};
}

void set_p99(Report& report, double value_us) {
  for (Measurement& run : report.runs) run.latency = Quantiles{.count = 1, .p99_us = value_us};
}

Report idle_report(double octets) {
  Report report = report_of({0}, Scenario::kIdle);
  report.runs[0].memory = ServerMemory{.per_connection = octets};
  return report;
}

bool says(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

boost::json::object parsed(const std::string& text) {
  return boost::json::parse(text).as_object();
}

TEST(Comparison, IsTheRatioOfTheMedians) {
  Comparison comparison{
      .contenders = {contender("ours", Role::kOwn, report_of({900, 1100, 1000})),
                     contender("theirs", Role::kRival, report_of({90, 100, 120}))},
      .wanted = {.ratio_min = 10}};
  EXPECT_DOUBLE_EQ(comparison.ratio(), 10);
  EXPECT_TRUE(comparison.reached());
  EXPECT_TRUE(says(summary(comparison), "ratio 10, wanted at least 10: reached"));
  comparison.wanted.ratio_min = 10.5;
  EXPECT_FALSE(comparison.reached());
  const std::string text = summary(comparison);
  EXPECT_TRUE(says(text, "wanted at least 10.5: MISSED")) << text;
  EXPECT_TRUE(says(text, "10.00 times theirs")) << text;
}

TEST(Comparison, IsMadeWithTheBestRival) {
  const Comparison comparison{
      .contenders = {contender("ours", Role::kOwn, report_of({1000})),
                     contender("slow", Role::kRival, report_of({50})),
                     contender("fast", Role::kRival, report_of({200})),
                     contender("silent", Role::kRival, report_of({})),
                     contender("faster, but does not count", Role::kBeside, report_of({500})),
                     contender("null", Role::kCeiling, report_of({4000}))}};
  EXPECT_EQ(comparison.best(Role::kRival)->name, "fast");
  EXPECT_DOUBLE_EQ(comparison.ratio(), 5);
  EXPECT_DOUBLE_EQ(comparison.ceiling_share(), 0.25);
  EXPECT_TRUE(comparison.judgements().empty());
  const std::string text = summary(comparison);
  EXPECT_TRUE(says(text, "5.00 times fast")) << text;
  EXPECT_TRUE(says(text, "2.00 times faster, but does not count")) << text;
  EXPECT_TRUE(says(text, "0.25 times null")) << text;
  EXPECT_FALSE(says(text, "times slow")) << text;
}

TEST(Comparison, IsBoundByAShareOfTheCeiling) {
  Comparison comparison{.contenders = {contender("ours", Role::kOwn, report_of({790})),
                                       contender("null", Role::kCeiling, report_of({1000}))},
                        .wanted = {.ceiling_share_min = 0.8}};
  EXPECT_FALSE(comparison.reached());
  comparison.wanted.ceiling_share_min = 0.79;
  EXPECT_TRUE(comparison.reached());
}

TEST(Comparison, IsBoundByTheDelaysOfTheCeiling) {
  Comparison comparison{.contenders = {contender("ours", Role::kOwn, report_of({1})),
                                       contender("null", Role::kCeiling, report_of({1}))},
                        .wanted = {.ceiling_p99_max = 1.5}};
  EXPECT_FALSE(comparison.reached()) << "no delay is no good delay";
  set_p99(comparison.contenders[0].report, 151);
  set_p99(comparison.contenders[1].report, 100);
  EXPECT_DOUBLE_EQ(comparison.p99_to_ceiling(), 1.51);
  EXPECT_FALSE(comparison.reached());
  set_p99(comparison.contenders[0].report, 150);
  EXPECT_TRUE(comparison.reached());
}

TEST(Comparison, OfIdleIsTheMemoryOfAConnection) {
  Comparison comparison{.contenders = {contender("ours", Role::kOwn, idle_report(500)),
                                       contender("fat", Role::kRival, idle_report(2000)),
                                       contender("lean", Role::kRival, idle_report(1000))},
                        .wanted = {.octets_max = 499}};
  EXPECT_EQ(comparison.best(Role::kRival)->name, "lean");
  EXPECT_DOUBLE_EQ(comparison.ratio(), 2);
  EXPECT_FALSE(comparison.reached());
  comparison.wanted.octets_max = 500;
  EXPECT_TRUE(comparison.reached());
}

TEST(Comparison, WithoutAFigureReachesNothing) {
  const Comparison comparison{.contenders = {contender("ours", Role::kOwn, report_of({100})),
                                             contender("silent", Role::kRival, report_of({}))},
                              .wanted = {.ratio_min = 1, .ceiling_share_min = 0.1}};
  EXPECT_EQ(comparison.best(Role::kRival), nullptr);
  EXPECT_EQ(comparison.ratio(), 0);
  for (const Judgement& judgement : comparison.judgements()) EXPECT_FALSE(judgement.reached());
}

TEST(Comparison, SaysWhatWentWrong) {
  Contender ours = contender("ours", Role::kOwn, report_of({100, 100}));
  EXPECT_FALSE(broke_promises(ours.report));
  ours.report.runs[1].server->utilisation = 0.89;
  ours.report.runs[1].counts.duplicated = 3;
  ours.report.runs[1].counts.stalls = 4;
  const std::string line = contender_line(ours, 4);
  EXPECT_TRUE(says(line, "under 0.9 cores in 1 of 2 runs")) << line;
  EXPECT_TRUE(says(line, "lost 0, duplicated 3, reordered 0")) << line;
  EXPECT_TRUE(says(line, "4 windows forgiven")) << line;
  EXPECT_TRUE(broke_promises(ours.report));
  ours.report.options.qos = 1;  // may double
  EXPECT_FALSE(broke_promises(ours.report));
  ours.report.options.scenario = Scenario::kLatency;
  EXPECT_EQ(runs_not_busy(ours.report), 0u);
}

TEST(Comparison, JsonHoldsEveryServerAndJudgement) {
  Comparison comparison{.contenders = {contender("ours", Role::kOwn, report_of({900, 1100})),
                                       contender("theirs", Role::kRival, report_of({100, 100})),
                                       contender("null", Role::kCeiling, report_of({2000}))},
                        .wanted = {.ratio_min = 11, .ceiling_share_min = 0.4}};
  comparison.contenders[0].report.runs[0].server->utilisation = 0.5;
  set_p99(comparison.contenders[0].report, 70);
  const auto json = parsed(to_json(comparison));
  EXPECT_EQ(json.at("kind").as_string(), "compare");
  EXPECT_EQ(json.at("figure").as_string(), "deliveries per server CPU second");
  EXPECT_EQ(json.at("best_rival").as_string(), "theirs");
  EXPECT_EQ(json.at("ratio").to_number<double>(), 10);
  EXPECT_EQ(json.at("ceiling_share").to_number<double>(), 0.5);
  EXPECT_FALSE(json.at("reached").as_bool());
  const auto& judgements = json.at("judgements").as_array();
  ASSERT_EQ(judgements.size(), 2u);
  EXPECT_EQ(judgements[0].at("what").as_string(), "ratio");
  EXPECT_EQ(judgements[0].at("at_least").to_number<double>(), 11);
  EXPECT_FALSE(judgements[0].at("reached").as_bool());
  EXPECT_TRUE(judgements[1].at("reached").as_bool());
  const auto& contenders = json.at("contenders").as_array();
  ASSERT_EQ(contenders.size(), 3u);
  EXPECT_EQ(contenders[0].at("role").as_string(), "own");
  EXPECT_EQ(contenders[0].at("figure").at("median").to_number<double>(), 1000);
  EXPECT_EQ(contenders[0].at("runs_not_busy").to_number<int>(), 1);
  EXPECT_EQ(contenders[0].at("p99_us").at("median").to_number<double>(), 70);
  EXPECT_EQ(contenders[0].at("report").at("runs").as_array().size(), 2u);
  EXPECT_EQ(contenders[2].at("role").as_string(), "ceiling");
  EXPECT_FALSE(contenders[2].as_object().contains("p99_us"));
}

TEST(Scaling, IsTheCostOfAnOperation) {
  Scaling scaling{.contenders = {contender("100", Role::kOwn, report_of({300})),
                                 contender("10,000", Role::kOwn, report_of({200}))},
                  .share_min = 0.6,
                  .cost_max = 1.5};
  EXPECT_DOUBLE_EQ(scaling.cost(), 1.5);
  EXPECT_DOUBLE_EQ(scaling.share(), 200.0 / 300);
  EXPECT_TRUE(scaling.reached());
  scaling.cost_max = 1.49;
  EXPECT_FALSE(scaling.reached());
  scaling.cost_max = 0;
  EXPECT_NEAR(scaling.more_us(), 1e6 / 200 - 1e6 / 300, 1e-6);
  scaling.more_us_max = 1'667;
  EXPECT_TRUE(scaling.reached());
  scaling.more_us_max = 1'666;
  EXPECT_FALSE(scaling.reached());
  EXPECT_TRUE(says(summary(scaling), "microseconds more 1667, wanted at most 1666: MISSED"));
  scaling.more_us_max = 0;
  scaling.share_min = 0.67;
  EXPECT_FALSE(scaling.reached());
  EXPECT_TRUE(says(summary(scaling), "share 0.6667, wanted at least 0.67: MISSED"));
  const auto json = parsed(to_json(scaling));
  EXPECT_EQ(json.at("kind").as_string(), "scale");
  EXPECT_DOUBLE_EQ(json.at("cost").to_number<double>(), 1.5);
  EXPECT_EQ(json.at("contenders").at(1).at("name").as_string(), "10,000");
  EXPECT_FALSE(json.at("reached").as_bool());
}

TEST(Scaling, WithoutAFigureReachesNothing) {
  const Scaling scaling{.contenders = {contender("first", Role::kOwn, report_of({300})),
                                       contender("then", Role::kOwn, report_of({}))},
                        .cost_max = 1.5};
  EXPECT_EQ(scaling.cost(), 0);
  EXPECT_FALSE(scaling.reached());
}

}  // namespace
}  // namespace hermod::load
