// SPDX-License-Identifier: Apache-2.0
#include "measure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "generator.hpp"
#include "seconds.hpp"
#include "server_process.hpp"

namespace hermod::load {
namespace {

using std::chrono::milliseconds;

constexpr Duration kLook = milliseconds{2};
constexpr Duration kShowEvery = milliseconds{200};

// A generator thread that is as busy as this, beside a server that is not, sets the pace.
constexpr double kGeneratorBusy = 0.95;
constexpr double kServerBusy = 0.9;
// Sends of an open loop that are late by this share of the delays colour them.
constexpr double kLatenessShare = 0.25;
constexpr double kLatenessFreeUs = 50;

struct Sample {
  Instant at{};
  std::uint64_t operations = 0;
  std::optional<double> server_cpu_s;
  std::vector<double> generator_cpu_s;
};

class Measuring {
 public:
  Measuring(const Options& options, Workload& workload, Generator& generator, int pid,
            const Progress& progress)
      : options_(options),
        workload_(workload),
        generator_(generator),
        pid_(pid),
        progress_(progress) {}

  std::expected<Measurement, std::string> run();

 private:
  std::expected<void, std::string> set_up();
  void load();
  void drain();
  Sample sample() const;
  bool wait_until(Instant end, std::string_view phase);
  void wait_while_moving(Duration bound, std::string_view phase);
  void show(std::string_view phase, double done);
  Measurement result() const;
  void judge(Measurement& m) const;

  const Options& options_;
  Workload& workload_;
  Generator& generator_;
  int pid_;
  const Progress& progress_;
  SystemClock clock_;
  Instant shown_at_{};
  std::optional<std::uint64_t> memory_before_;
  std::optional<std::uint64_t> memory_after_;
  Sample first_;
  Sample last_;
};

void Measuring::show(std::string_view phase, double done) {
  if (!progress_ || clock_.now() - shown_at_ < kShowEvery) return;
  shown_at_ = clock_.now();
  progress_(phase, std::clamp(done, 0.0, 1.0));
}

Sample Measuring::sample() const {
  return {.at = clock_.now(),
          .operations = generator_.sum(&Tally::operations),
          .server_cpu_s = pid_ == 0 ? std::nullopt : process_cpu_s(pid_),
          .generator_cpu_s = generator_.cpu_s()};
}

std::expected<void, std::string> Measuring::set_up() {
  const std::uint64_t wanted = workload_.clients();
  std::uint64_t ready = 0;
  std::uint64_t moved = 0;  // a client may take long for a million subscriptions
  Instant moved_at = clock_.now();
  while (ready < wanted) {
    if (auto fault = generator_.fault(); !fault.empty()) return std::unexpected(fault);
    ready = generator_.sum(&Tally::ready);
    const std::uint64_t now_moved = ready + generator_.sum(&Tally::progress);
    if (now_moved != moved) moved_at = clock_.now();
    moved = now_moved;
    if (clock_.now() - moved_at > kSetUpStallAfter) {
      return std::unexpected(
          fmt::format("only {} of {} clients could be set up; the server has "
                      "not answered for {} s",
                      ready, wanted, seconds(kSetUpStallAfter)));
    }
    show("set-up", static_cast<double>(ready) / static_cast<double>(wanted));
    std::this_thread::sleep_for(kLook);
  }
  return {};
}

bool Measuring::wait_until(Instant end, std::string_view phase) {
  const Instant begin = clock_.now();
  while (clock_.now() < end) {
    if (!generator_.fault().empty()) return false;
    show(phase, seconds(clock_.now() - begin) / seconds(end - begin));
    std::this_thread::sleep_for(std::min<Duration>(milliseconds{50}, end - clock_.now()));
  }
  return true;
}

// Until everything has settled, nothing moves any more, or the bound is reached.
void Measuring::wait_while_moving(Duration bound, std::string_view phase) {
  const Instant begin = clock_.now();
  Instant moved_at = begin;
  std::uint64_t moved = 0;
  while (!workload_.settled() && generator_.fault().empty()) {
    const Instant now = clock_.now();
    const std::uint64_t progress = generator_.sum(&Tally::progress);
    if (progress != moved) moved_at = now;
    moved = progress;
    // A window is forgiven after kStallAfter; only silence beyond that is the end.
    if (now - moved_at > 2 * kStallAfter || now - begin > bound) return;
    show(phase, 0);
    std::this_thread::sleep_for(kLook);
  }
}

void Measuring::load() {
  const bool counted = options_.messages != 0;
  const Instant begin = clock_.now();
  const Instant measure_begin = counted ? begin : begin + options_.warmup;
  const Instant measure_end = counted ? kNever : measure_begin + options_.duration;
  generator_.set_schedule(
      {.load_begin = begin, .measure_begin = measure_begin, .measure_end = measure_end});
  if (counted) first_ = sample();
  generator_.enter(Phase::kLoad);
  if (counted) {
    wait_while_moving(Duration::max(), "measure");
  } else {
    wait_until(measure_begin, "warm-up");
    first_ = sample();
    wait_until(measure_end, "measure");
  }
  last_ = sample();
  if (pid_ != 0) memory_after_ = process_memory(pid_);
}

void Measuring::drain() {
  generator_.enter(Phase::kDrain);
  wait_while_moving(options_.drain, "drain");
}

std::expected<Measurement, std::string> Measuring::run() {
  if (pid_ != 0) memory_before_ = process_memory(pid_);
  generator_.start();
  if (auto set = set_up(); !set) return std::unexpected(set.error());
  load();
  drain();
  generator_.end();
  if (auto fault = generator_.fault(); !fault.empty()) return std::unexpected(fault);
  Measurement m = result();
  workload_.collect(m);
  judge(m);
  return m;
}

Measurement Measuring::result() const {
  Measurement m;
  m.seconds = seconds(last_.at - first_.at);
  m.operations = last_.operations - first_.operations;
  m.per_second = static_cast<double>(m.operations) / m.seconds;
  m.counts.unexpected = generator_.sum(&Tally::unexpected);
  m.counts.disconnected = generator_.sum(&Tally::disconnected);
  m.counts.refused = generator_.sum(&Tally::refused);
  m.counts.retransmitted = generator_.sum(&Tally::retransmitted);
  m.counts.stalls = generator_.sum(&Tally::stalls);
  if (first_.server_cpu_s && last_.server_cpu_s) {
    const double used = *last_.server_cpu_s - *first_.server_cpu_s;
    m.server = ServerUse{.cpu_s = used,
                         .utilisation = used / m.seconds,
                         .per_cpu_s = used > 0 ? static_cast<double>(m.operations) / used : 0};
  }
  if (options_.scenario == Scenario::kIdle && memory_before_ && memory_after_) {
    const auto before = static_cast<double>(*memory_before_);
    const auto after = static_cast<double>(*memory_after_);
    m.memory = ServerMemory{.before = *memory_before_,
                            .after = *memory_after_,
                            .per_connection = (after - before) / options_.clients};
  }
  for (std::size_t i = 0; i < first_.generator_cpu_s.size(); ++i) {
    const double used = last_.generator_cpu_s[i] - first_.generator_cpu_s[i];
    m.generator_cpu_s += used;
    m.generator_utilisation = std::max(m.generator_utilisation, used / m.seconds);
  }
  return m;
}

void Measuring::judge(Measurement& m) const {
  if (options_.scenario == Scenario::kLatency) {  // its threads never sleep long: look at the sends
    m.generator_limited = m.lateness && m.latency && m.lateness->p99_us > kLatenessFreeUs &&
                          m.lateness->p99_us > kLatenessShare * m.latency->p99_us;
    return;
  }
  const bool server_busy = m.server && m.server->utilisation >= kServerBusy;
  m.generator_limited = m.generator_utilisation >= kGeneratorBusy && !server_busy;
}

}  // namespace

std::expected<Measurement, std::string> measure(const Options& options, Workload& workload, int pid,
                                                const Progress& progress) {
  auto generator = Generator::make(workload, options.threads, options.cpus);
  if (!generator) return std::unexpected(generator.error());
  return Measuring(options, workload, **generator, pid, progress).run();
}

}  // namespace hermod::load
