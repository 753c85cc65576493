// SPDX-License-Identifier: Apache-2.0
// What a run does with a broker that has a store: it stops in every way there is, starts again on
// what the disk holds, and finds its disk full, failing or damaged.
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "play.hpp"
#include "spoilt_disk.hpp"

namespace hermod::sim {

using std::chrono::milliseconds;

namespace {

constexpr std::size_t kLast = 4;

struct Place {
  std::string file;
  std::uint64_t begin = 0;
  std::uint64_t octets = 0;
};

// The records of the log but for the last ones, which nobody could tell from a torn end.
std::vector<Place> records_on(testkit::FaultyDisk& disk) {
  std::vector<Place> out;
  const std::vector<std::string> names = disk.list().value_or(std::vector<std::string>{});
  for (const std::string& name : names) {
    if (!name.starts_with("log-")) continue;
    const std::vector<std::uint8_t> octets = disk.octets_of(name);
    for (std::uint64_t at = kFirstRecord; at + kFrame <= octets.size();) {
      std::uint32_t length = 0;
      std::memcpy(&length, octets.data() + at, sizeof(length));
      if (octets[at + 4] == 0 || at + kFrame + length > octets.size()) break;
      out.push_back({name, at, kFrame + length});
      at = (at + kFrame + length + 7) / 8 * 8;
    }
  }
  out.resize(out.size() - std::min(out.size(), kLast));
  return out;
}

}  // namespace

void Scenario::plan_stops() {
  if (!options_.kept.on) return;
  if (options_.kept.fills + options_.kept.seals > 0) ledger_.doubt_values();
  world_.on_power_lost([this] { stop_broker(Stop::kPowerCut); });
  const auto plan = [this](unsigned times, const std::function<void()>& what) {
    for (unsigned i = 0; i < times; ++i) {
      world_.after(between(rng_, Duration{0}, options_.traffic), [this, what] {
        if (world_.is_up() && !world_.is_calm()) what();
      });
    }
  };
  plan(options_.kept.stops, [this] { stop_broker(static_cast<Stop>(rng_.below(3))); });
  plan(options_.kept.power_cuts, [this] { stop_broker(Stop::kPowerCut); });
  plan(options_.kept.fills, [this] { fill_disk(); });
  plan(options_.kept.seals, [this] {
    trace_.note(world_.now(), "syncs fail", {});
    world_.kept()->disk().fail_syncs(EIO);
    world_.after(between(rng_, milliseconds{100}, milliseconds{4'000}), [this] {
      if (world_.is_up() && !world_.is_calm()) stop_broker(static_cast<Stop>(rng_.below(3)));
    });
  });
}

void Scenario::fill_disk() {
  testkit::FaultyDisk& disk = world_.kept()->disk();
  disk.set_capacity(disk.used() + rng_.below(8'000));
  trace_.note(world_.now(), "disk full", {{"used", disk.used()}});
  world_.after(between(rng_, milliseconds{100}, milliseconds{5'000}), [this] {
    trace_.note(world_.now(), "room again", {});
    world_.kept()->disk().set_capacity(UINT64_MAX);
  });
}

void Scenario::stop_broker(Stop how) {
  if (!world_.is_up()) return;
  world_.stop(how);
  const KeptStore& kept = *world_.kept();
  for (const auto& client : clients_) client->on_stopped(kept.safe_until(), kept.ended_whole());
  ++stops_;
  if (chance(rng_, options_.kept.damage_permille)) damage_log(kept.ended_whole());
  world_.after(between(rng_, Duration{0}, options_.kept.down_max), [this] { start_broker(); });
}

void Scenario::start_broker() {
  if (world_.is_up() || trace_.failed()) return;
  testkit::FaultyDisk& disk = world_.kept()->disk();
  if (!world_.is_calm() && chance(rng_, options_.kept.mid_write_permille)) {
    disk.stop_after(rng_.below(300));
  }
  const std::uint64_t before = world_.kept()->damaged();
  if (!world_.start()) return;
  const std::uint64_t found = world_.kept()->damaged() - before;
  if (damaged_now_ && found == 0) {
    trace_.violation(world_.now(), "a damaged record was not counted");
  }
  damaged_now_ = false;
}

// One bit of one record.
void Scenario::damage_log(bool whole) {
  testkit::FaultyDisk& disk = world_.kept()->disk();
  const std::vector<Place> records = records_on(disk);
  if (records.empty()) return;
  const Place& place = records[rng_.below(records.size())];
  const std::uint64_t at = place.begin + rng_.below(place.octets);
  trace_.note(world_.now(), "damage", {{"at", at}, {"record", place.begin}});
  disk.flip_bit(place.file, at, static_cast<unsigned>(rng_.below(8)));
  damaged_now_ = whole;  // else it may be of what is cut off
  ++damages_;
  jury_.forgive();
}

// The disk is well, and there is a broker that uses it.
void Scenario::mend() {
  if (!options_.kept.on) return;
  testkit::FaultyDisk& disk = world_.kept()->disk();
  disk.stop_after(UINT64_MAX);
  disk.fail_syncs(0, 0);
  disk.set_capacity(UINT64_MAX);
  if (world_.is_up() && world_.kept()->state() == core::Journal::State::kSealed) {
    stop_broker(Stop::kKilled);
  }
  start_broker();
}

}  // namespace hermod::sim
