// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/resource.h>

#include <cstdio>
#include <span>

#include "kill_run.hpp"
#include "options.hpp"
#include "storm_run.hpp"

namespace {

using namespace hermod::durability;

double seconds_of(hermod::Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

void print_report(const Report& report) {
  fmt::print("published {}, acknowledged {}, refused {}, delivered {}, repeated {}\n",
             report.published, report.acknowledged, report.refused, report.delivered,
             report.repeated);
  fmt::print(
      "lost {} (exactly once: {}), duplicated {} ({}), reordered {}, corrupted {}, unwanted {}\n",
      report.lost, report.lost_exactly_once, report.duplicated, report.duplicated_exactly_once,
      report.reordered, report.corrupted, report.unwanted);
  fmt::print("values lost {}, values stale {}, sessions lost {}, broken off {}\n",
             report.values_lost, report.values_stale, report.sessions_lost, report.broken_off);
  for (const std::string& words : report.faults) fmt::print("  {}\n", words);
}

// What a run that found nothing is worth: it must have had something to find.
int verdict(const Options& options, const Outcome& outcome) {
  Report report = outcome.report;
  if (!outcome.failure.empty()) {
    fmt::print("FAILED: {}\n", outcome.failure);
    return 1;
  }
  if (options.expect_faults) {
    const bool noticed = report.lost > 0 && report.sessions_lost > 0;
    fmt::print("{}\n", noticed ? "ok: the losses were noticed" : "FAILED: no loss was noticed");
    return noticed ? 0 : 1;
  }
  if (report.good() && report.acknowledged > 0 && report.delivered >= report.acknowledged) {
    fmt::print("ok\n");
    return 0;
  }
  fmt::print("FAILED{}\n", report.good() ? ": next to nothing was acknowledged" : "");
  return 1;
}

int run_kills(const Options& options, BrokerProcess& broker, Loop& loop) {
  const Outcome outcome = KillRun(options, broker, loop).run();
  fmt::print("R1: threads {}, seed {}, {} kills\n", options.threads, options.seed, outcome.kills);
  print_report(outcome.report);
  fmt::print("from start to the first CONNACK: {:.3f} s at most\n", seconds_of(outcome.ready_max));
  return verdict(options, outcome);
}

int run_storm(const Options& options, BrokerProcess& broker, Loop& loop) {
  const StormOutcome outcome = StormRun(options, broker, loop).run();
  fmt::print("R29: threads {}, {} clients, {} messages each\n", options.threads, outcome.clients,
             options.messages);
  print_report(outcome.report);
  fmt::print(
      "from start to the first CONNACK: {:.3f} s; all sessions back after {:.3f} s, "
      "all messages there after {:.3f} s\n",
      seconds_of(outcome.ready_max), seconds_of(outcome.sessions_back),
      seconds_of(outcome.messages_there));
  return verdict(options, outcome);
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = read_options(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
  if (!options) {
    fmt::print(stderr, "hermod_durability: {}\n", options.error());
    return 2;
  }
  if (options->mode == Options::Mode::kHelp) {
    fmt::print("{}", help_text());
    return 0;
  }
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;  // the broker inherits it
  setrlimit(RLIMIT_NOFILE, &files);
  auto poller = hermod::transport::EpollPoller::open();
  auto broker = BrokerProcess::prepare(options->plan());
  if (!poller || !broker) {
    fmt::print(stderr, "hermod_durability: {}\n", poller ? broker.error() : poller.error());
    return 1;
  }
  Loop loop(std::move(*poller));
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const bool kills = options->mode == Options::Mode::kKills;
  const int status = (kills ? run_kills : run_storm)(*options, *broker, loop);
  if (status != 0) fmt::print("the broker's last words:\n{}", broker->last_words());
  if (options->keep_folder) {
    broker->keep_folder();
    fmt::print("its folder: {}\n", broker->folder().string());
  }
  return status;
}
