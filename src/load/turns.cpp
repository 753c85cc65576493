// SPDX-License-Identifier: Apache-2.0
#include "hermod/load/turns.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hermod::load {
namespace {

// A server that is less busy than this waited for the load, or for a processor that others use.
constexpr double kBusyEnough = 0.9;

std::expected<void, std::string> one_run(Contender& contender, const Progress& progress) {
  Options options = contender.options;
  options.repeat = 1;
  auto report = run(options, progress);
  if (!report) return std::unexpected(fmt::format("{}: {}", contender.name, report.error()));
  if (contender.report.runs.empty()) {
    contender.report = std::move(*report);
  } else {
    contender.report.runs.push_back(report->runs.front());
  }
  return {};
}

Spread latency_of(const Report& report, double Quantiles::* quantile) {
  std::vector<double> values;
  for (const Measurement& run : report.runs) {
    if (run.latency) values.push_back((*run.latency).*quantile);
  }
  return spread(std::move(values));
}

std::string delays(const Report& report) {
  const Spread p99 = p99_us(report);
  if (p99.max == 0) return {};
  return fmt::format(", p50 {:.0f} us, p99 {:.0f} us",
                     latency_of(report, &Quantiles::p50_us).median, p99.median);
}

std::string faults(const Report& report) {
  Counts total;
  for (const Measurement& run : report.runs) {
    total.lost += run.counts.lost;
    total.duplicated += run.counts.duplicated;
    total.reordered += run.counts.reordered;
    total.stalls += run.counts.stalls;
  }
  std::string text;
  if (total.lost + total.duplicated + total.reordered != 0) {
    text += fmt::format("; lost {}, duplicated {}, reordered {}", total.lost, total.duplicated,
                        total.reordered);
  }
  if (total.stalls != 0) text += fmt::format("; {} windows forgiven", total.stalls);
  return text;
}

}  // namespace

std::string_view to_text(Role role) {
  switch (role) {
    case Role::kOwn:
      return "own";
    case Role::kRival:
      return "rival";
    case Role::kBeside:
      return "beside";
    case Role::kCeiling:
      return "ceiling";
  }
  return "?";
}

std::expected<void, std::string> measure_in_turns(std::span<Contender> contenders, unsigned repeat,
                                                  const Progress& progress) {
  for (unsigned i = 0; i < repeat; ++i) {
    for (Contender& contender : contenders) {
      if (auto ran = one_run(contender, progress); !ran) return ran;
    }
  }
  return {};
}

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

std::string figure_noun(Scenario scenario) {
  if (scenario == Scenario::kIdle) return "octets per connection";
  return fmt::format("{} per server CPU second", operation_noun(scenario));
}

Spread utilisation(const Report& report) {
  std::vector<double> values;
  for (const Measurement& run : report.runs) {
    if (run.server) values.push_back(run.server->utilisation);
  }
  return spread(std::move(values));
}

Spread p99_us(const Report& report) {
  return latency_of(report, &Quantiles::p99_us);
}

std::size_t runs_not_busy(const Report& report) {
  const Scenario scenario = report.options.scenario;
  if (scenario == Scenario::kLatency || scenario == Scenario::kIdle) return 0;  // they are to wait
  return static_cast<std::size_t>(std::ranges::count_if(report.runs, [](const Measurement& run) {
    return run.server && run.server->utilisation < kBusyEnough;
  }));
}

double times_better(const Report& first, const Report& second) {
  const double a = compared_figure(first).median;
  const double b = compared_figure(second).median;
  if (a <= 0 || b <= 0) return 0;
  return first.options.scenario == Scenario::kIdle ? b / a : a / b;
}

std::string Judgement::to_text() const {
  std::string words{what};
  std::ranges::replace(words, '_', ' ');
  return fmt::format("{} {:.4g}, wanted at {} {:g}: {}", words, value, at_least ? "least" : "most",
                     bound, reached() ? "reached" : "MISSED");
}

bool broke_promises(const Report& report) {
  return std::ranges::any_of(report.runs, [&report](const Measurement& run) {
    const bool doubled = run.counts.duplicated != 0 && report.options.qos != 1;
    return run.counts.lost != 0 || run.counts.reordered != 0 || doubled;
  });
}

std::string contender_line(const Contender& contender, std::size_t name_width) {
  const Report& report = contender.report;
  const Spread figure = compared_figure(report);
  std::string line = fmt::format("  {:<{}} {:>9} ({} to {}), {:.2f} cores busy", contender.name,
                                 name_width, short_number(figure.median), short_number(figure.min),
                                 short_number(figure.max), utilisation(report).median);
  line += delays(report) + faults(report);
  if (const std::size_t count = runs_not_busy(report); count != 0) {
    line +=
        fmt::format("; under {} cores in {} of {} runs", kBusyEnough, count, report.runs.size());
  }
  if (std::ranges::any_of(report.runs, &Measurement::generator_limited)) {
    line += "; the generator was the limit";
  }
  return line + "\n";
}

}  // namespace hermod::load
