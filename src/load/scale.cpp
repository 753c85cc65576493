// SPDX-License-Identifier: Apache-2.0
#include "hermod/load/scale.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hermod::load {

double Scaling::share() const {
  return times_better(then().report, first().report);
}

double Scaling::cost() const {
  return times_better(first().report, then().report);
}

double Scaling::more_us() const {
  const double before = compared_figure(first().report).median;
  const double after = compared_figure(then().report).median;
  return before > 0 && after > 0 ? 1e6 / after - 1e6 / before : 0;
}

std::vector<Judgement> Scaling::judgements() const {
  std::vector<Judgement> all;
  if (share_min > 0) {
    all.push_back({.what = "share", .value = share(), .bound = share_min, .at_least = true});
  }
  if (cost_max > 0) {
    all.push_back({.what = "cost", .value = cost(), .bound = cost_max, .at_least = false});
  }
  if (more_us_max > 0) {
    // One that costs less is above 0 too: only what could not be measured reaches nothing.
    const double more = cost() > 0 ? std::max(more_us(), 1e-6) : 0;
    all.push_back(
        {.what = "microseconds more", .value = more, .bound = more_us_max, .at_least = false});
  }
  return all;
}

bool Scaling::reached() const {
  return std::ranges::all_of(judgements(), &Judgement::reached);
}

std::string summary(const Scaling& scaling) {
  const Options& plain = scaling.first().report.options;
  const std::size_t width = std::max(scaling.first().name.size(), scaling.then().name.size());
  std::string text = fmt::format("{}, then {}: {}, medians of {} interleaved runs\n",
                                 describe(plain), describe(scaling.then().report.options),
                                 figure_noun(plain.scenario), scaling.first().report.runs.size());
  for (const Contender& contender : scaling.contenders) text += contender_line(contender, width);
  text += fmt::format("  {:<{}} {:>9.2f} times the cost of each, {:.2f} us more\n", "", width,
                      scaling.cost(), scaling.more_us());
  for (const Judgement& judgement : scaling.judgements()) {
    text += fmt::format("  {}\n", judgement.to_text());
  }
  return text;
}

}  // namespace hermod::load
