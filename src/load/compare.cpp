// SPDX-License-Identifier: Apache-2.0
#include "hermod/load/compare.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hermod::load {
namespace {

Options options_for(const Options& options, const Contender& contender) {
  Options own = options;
  own.repeat = 1;
  own.spawn = contender.command;
  if (!contender.url.host.empty()) own.url = contender.url;
  return own;
}

std::expected<void, std::string> one_run(const Options& options, const Contender& contender,
                                         Report& into, const Progress& progress) {
  auto report = run(options_for(options, contender), progress);
  if (!report) return std::unexpected(fmt::format("{}: {}", contender.name, report.error()));
  if (into.runs.empty()) {
    into = std::move(*report);
  } else {
    into.runs.push_back(report->runs.front());
  }
  return {};
}

std::string contender_line(const Contender& contender, const Report& report) {
  const Spread figure = compared_figure(report);
  std::vector<double> use;
  std::vector<double> p50_us;
  std::vector<double> p99_us;
  Counts total;
  for (const Measurement& run : report.runs) {
    if (run.server) use.push_back(run.server->utilisation);
    if (run.latency) {
      p50_us.push_back(run.latency->p50_us);
      p99_us.push_back(run.latency->p99_us);
    }
    total.lost += run.counts.lost;
    total.duplicated += run.counts.duplicated;
    total.reordered += run.counts.reordered;
  }
  std::string line = fmt::format("  {:<12} {:>9} ({} to {}), {:.2f} cores busy", contender.name,
                                 short_number(figure.median), short_number(figure.min),
                                 short_number(figure.max), spread(use).median);
  if (!p50_us.empty()) {
    line +=
        fmt::format(", p50 {:.0f} us, p99 {:.0f} us", spread(p50_us).median, spread(p99_us).median);
  }
  if (total.lost + total.duplicated + total.reordered != 0) {
    line += fmt::format("; lost {}, duplicated {}, reordered {}", total.lost, total.duplicated,
                        total.reordered);
  }
  if (std::ranges::any_of(report.runs, &Measurement::generator_limited)) {
    line += "; the generator was the limit";
  }
  return line + "\n";
}

}  // namespace

Spread compared_figure(const Report& report) {
  std::vector<double> values;
  for (const Measurement& run : report.runs) {
    if (report.options.scenario == Scenario::kIdle) {
      if (run.memory) values.push_back(run.memory->per_connection);
    } else if (run.server) {
      values.push_back(run.server->per_cpu_s);
    }
  }
  return spread(std::move(values));
}

double Comparison::ratio() const {
  const double own = compared_figure(report_a).median;
  const double other = compared_figure(report_b).median;
  if (own <= 0 || other <= 0) return 0;
  return report_a.options.scenario == Scenario::kIdle ? other / own : own / other;
}

bool Comparison::reached() const {
  const bool small = at_most <= 0 || compared_figure(report_a).median <= at_most;
  return ratio() >= at_least && small;
}

std::expected<Comparison, std::string> compare(const Options& options, Contender a, Contender b,
                                               const Progress& progress) {
  Comparison comparison{.a = std::move(a), .b = std::move(b)};
  for (unsigned i = 0; i < options.repeat; ++i) {
    auto result = one_run(options, comparison.a, comparison.report_a, progress);
    if (result) result = one_run(options, comparison.b, comparison.report_b, progress);
    if (!result) return std::unexpected(result.error());
  }
  return comparison;
}

std::string summary(const Comparison& comparison) {
  const Report& report = comparison.report_a;
  const bool idle = report.options.scenario == Scenario::kIdle;
  std::string text = fmt::format(
      "{}: {}, medians of {} interleaved runs\n", describe(report.options),
      idle ? std::string{"octets per connection"}
           : fmt::format("{} per server CPU second", operation_noun(report.options.scenario)),
      report.runs.size());
  text += contender_line(comparison.a, comparison.report_a);
  text += contender_line(comparison.b, comparison.report_b);
  text += fmt::format("  {:<12} {:>9.2f} times better", "ratio", comparison.ratio());
  if (comparison.at_least > 0) text += fmt::format(", wanted at least {:g}", comparison.at_least);
  if (comparison.at_most > 0) {
    text += fmt::format(", wanted at most {:g} octets per connection", comparison.at_most);
  }
  if (comparison.at_least > 0 || comparison.at_most > 0) {
    text += comparison.reached() ? ": reached" : ": MISSED";
  }
  return text + "\n";
}

}  // namespace hermod::load
