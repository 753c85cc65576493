// SPDX-License-Identifier: Apache-2.0
#include "hermod/load/compare.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hermod::load {
namespace {

// What another one is to the own server.
std::string relation_line(const Comparison& comparison, const Contender& other,
                          std::size_t name_width) {
  const double times = times_better(comparison.own().report, other.report);
  return fmt::format("  {:<{}} {:>9.2f} times {}\n", "", name_width, times, other.name);
}

}  // namespace

const Contender* Comparison::best(Role role) const {
  const Contender* found = nullptr;
  for (const Contender& contender : contenders) {
    if (contender.role != role || compared_figure(contender.report).median <= 0) continue;
    if (found == nullptr || times_better(contender.report, found->report) > 1) found = &contender;
  }
  return found;
}

double Comparison::ratio() const {
  const Contender* const rival = best(Role::kRival);
  return rival == nullptr ? 0 : times_better(own().report, rival->report);
}

double Comparison::ceiling_share() const {
  const Contender* const ceiling = best(Role::kCeiling);
  return ceiling == nullptr ? 0 : times_better(own().report, ceiling->report);
}

double Comparison::p99_to_ceiling() const {
  const Contender* const ceiling = best(Role::kCeiling);
  const double least = ceiling == nullptr ? 0 : p99_us(ceiling->report).median;
  return least <= 0 ? 0 : p99_us(own().report).median / least;
}

std::vector<Judgement> Comparison::judgements() const {
  std::vector<Judgement> all;
  const auto add = [&all](std::string_view what, double value, double bound, bool at_least) {
    if (bound > 0) {
      all.push_back({.what = what, .value = value, .bound = bound, .at_least = at_least});
    }
  };
  add("ratio", ratio(), wanted.ratio_min, true);
  add("octets_per_connection", compared_figure(own().report).median, wanted.octets_max, false);
  add("share_of_ceiling", ceiling_share(), wanted.ceiling_share_min, true);
  add("p99_to_ceiling", p99_to_ceiling(), wanted.ceiling_p99_max, false);
  return all;
}

bool Comparison::reached() const {
  return std::ranges::all_of(judgements(), &Judgement::reached);
}

std::string summary(const Comparison& comparison) {
  const Report& report = comparison.own().report;
  std::size_t width = 0;
  for (const Contender& contender : comparison.contenders) {
    width = std::max(width, contender.name.size());
  }
  std::string text =
      fmt::format("{}: {}, medians of {} interleaved runs\n", describe(report.options),
                  figure_noun(report.options.scenario), report.runs.size());
  for (const Contender& contender : comparison.contenders) text += contender_line(contender, width);
  // Of several rivals the best counts; the others that are shown have a line each.
  for (const Contender& other : comparison.contenders) {
    const bool counts = other.role == Role::kRival ? &other == comparison.best(Role::kRival)
                                                   : other.role != Role::kOwn;
    if (counts) text += relation_line(comparison, other, width);
  }
  for (const Judgement& judgement : comparison.judgements()) {
    text += fmt::format("  {}\n", judgement.to_text());
  }
  return text;
}

}  // namespace hermod::load
