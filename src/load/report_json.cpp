// SPDX-License-Identifier: Apache-2.0
// The form of a report for programs. Field names carry their units; a figure that was not taken is
// absent.
#include <boost/json.hpp>

#include "hermod/load/compare.hpp"
#include "hermod/load/report.hpp"
#include "hermod/load/scale.hpp"
#include "seconds.hpp"

namespace hermod::load {
namespace {

using boost::json::array;
using boost::json::object;

object options_object(const Options& options) {
  object out{{"scenario", to_text(options.scenario)},
             {"url", options.url.to_text()},
             {"mqtt", to_text(options.mqtt)},
             {"qos", options.qos},
             {"publishers", options.publishers},
             {"subscribers", options.subscribers},
             {"clients", options.clients},
             {"topics", options.topics},
             {"exact", options.exact},
             {"groups", options.groups},
             {"lasting", options.lasting},
             {"filters", options.filters},
             {"churn_per_s", options.churn},
             {"neighbour", to_text(options.neighbour)},
             {"window", options.window},
             {"inflight", options.inflight},
             {"payload_bytes", options.payload_bytes},
             {"rate_per_s", options.rate},
             {"warmup_s", seconds(options.warmup)},
             {"duration_s", seconds(options.duration)},
             {"drain_s", seconds(options.drain)},
             {"messages", options.messages},
             {"threads", options.threads},
             {"cpus", array(options.cpus.begin(), options.cpus.end())},
             {"server_cpus", array(options.server_cpus.begin(), options.server_cpus.end())},
             {"repeat", options.repeat}};
  if (options.pid != 0) out["pid"] = options.pid;
  if (!options.spawn.empty()) out["spawn"] = options.spawn;
  return out;
}

object counts_object(const Counts& counts) {
  return {{"sent", counts.sent},
          {"expected", counts.expected},
          {"received", counts.received},
          {"lost", counts.lost},
          {"duplicated", counts.duplicated},
          {"reordered", counts.reordered},
          {"skipped", counts.skipped},
          {"unacknowledged", counts.unacknowledged},
          {"retransmitted", counts.retransmitted},
          {"refused", counts.refused},
          {"unexpected", counts.unexpected},
          {"disconnected", counts.disconnected},
          {"stalls", counts.stalls},
          {"churn_subscribed", counts.churn_subscribed},
          {"churn_unsubscribed", counts.churn_unsubscribed},
          {"neighbour_connections", counts.neighbour_connections},
          {"neighbour_packets", counts.neighbour_packets},
          {"neighbour_bytes", counts.neighbour_bytes},
          {"neighbour_ended", counts.neighbour_ended}};
}

object quantiles_object(const Quantiles& quantiles) {
  return {{"count", quantiles.count},     {"p50_us", quantiles.p50_us},
          {"p90_us", quantiles.p90_us},   {"p99_us", quantiles.p99_us},
          {"p999_us", quantiles.p999_us}, {"max_us", quantiles.max_us}};
}

object run_object(const Measurement& run) {
  object out{{"seconds", run.seconds},
             {"operations", run.operations},
             {"per_second", run.per_second},
             {"counts", counts_object(run.counts)},
             {"generator_cpu_s", run.generator_cpu_s},
             {"generator_utilisation", run.generator_utilisation},
             {"generator_limited", run.generator_limited}};
  if (run.server) {
    out["server"] = object{{"cpu_s", run.server->cpu_s},
                           {"utilisation", run.server->utilisation},
                           {"per_cpu_s", run.server->per_cpu_s}};
  }
  if (run.memory) {
    out["memory"] = object{{"before_bytes", run.memory->before},
                           {"after_bytes", run.memory->after},
                           {"per_connection_bytes", run.memory->per_connection}};
  }
  if (run.latency) out["latency"] = quantiles_object(*run.latency);
  if (run.lateness) out["send_lateness"] = quantiles_object(*run.lateness);
  return out;
}

object spread_object(const Spread& s) {
  return {{"median", s.median}, {"min", s.min}, {"max", s.max}};
}

template <typename Figure>
object spread_object(const Report& report, Figure figure) {
  std::vector<double> values;
  for (const Measurement& run : report.runs) values.push_back(figure(run));
  return spread_object(spread(std::move(values)));
}

object report_object(const Report& report) {
  object results{
      {"per_second", spread_object(report, [](const Measurement& run) { return run.per_second; })}};
  if (!report.runs.empty() && report.runs.front().server) {
    results["per_server_cpu_s"] = spread_object(
        report, [](const Measurement& run) { return run.server ? run.server->per_cpu_s : 0; });
  }
  if (!report.runs.empty() && report.runs.front().memory) {
    results["per_connection_bytes"] = spread_object(
        report, [](const Measurement& run) { return run.memory ? run.memory->per_connection : 0; });
  }
  array runs;
  for (const Measurement& run : report.runs) runs.push_back(run_object(run));
  return object{{"format", kReportFormat},
                {"hermod_version", report.hermod_version},
                {"server", report.server},
                {"machine", object{{"processor", report.machine.processor},
                                   {"cores", report.machine.cores},
                                   {"kernel", report.machine.kernel}}},
                {"options", options_object(report.options)},
                {"operation", operation_noun(report.options.scenario)},
                {"results", std::move(results)},
                {"runs", std::move(runs)},
                {"command", command_line(report.options)}};
}

object contender_object(const Contender& contender) {
  const Report& report = contender.report;
  object out{{"name", contender.name},
             {"role", to_text(contender.role)},
             {"load", describe(report.options)},
             {"figure", spread_object(compared_figure(report))},
             {"utilisation", spread_object(utilisation(report))},
             {"runs_not_busy", runs_not_busy(report)},
             {"report", report_object(report)}};
  if (const Spread p99 = p99_us(report); p99.max > 0) out["p99_us"] = spread_object(p99);
  return out;
}

// What comparisons of every kind have in common.
object contest_object(std::string_view kind, std::span<const Contender> contenders,
                      std::span<const Judgement> judgements) {
  array all;
  for (const Contender& contender : contenders) all.push_back(contender_object(contender));
  array judged;
  for (const Judgement& judgement : judgements) {
    judged.push_back(object{{"what", judgement.what},
                            {"value", judgement.value},
                            {judgement.at_least ? "at_least" : "at_most", judgement.bound},
                            {"reached", judgement.reached()}});
  }
  return {{"format", kReportFormat},
          {"kind", kind},
          {"figure", figure_noun(contenders.front().report.options.scenario)},
          {"contenders", std::move(all)},
          {"judgements", std::move(judged)}};
}

}  // namespace

std::string to_json(const Report& report) {
  return boost::json::serialize(report_object(report));
}

std::string to_json(const Comparison& comparison) {
  object out = contest_object("compare", comparison.contenders, comparison.judgements());
  if (const Contender* const rival = comparison.best(Role::kRival)) {
    out["best_rival"] = rival->name;
    out["ratio"] = comparison.ratio();
  }
  if (const double share = comparison.ceiling_share(); share > 0) out["ceiling_share"] = share;
  if (const double factor = comparison.p99_to_ceiling(); factor > 0) out["p99_to_ceiling"] = factor;
  out["reached"] = comparison.reached();
  return boost::json::serialize(out);
}

std::string to_json(const Scaling& scaling) {
  object out = contest_object("scale", scaling.contenders, scaling.judgements());
  out["cost"] = scaling.cost();
  out["more_us"] = scaling.more_us();
  out["reached"] = scaling.reached();
  return boost::json::serialize(out);
}

}  // namespace hermod::load
