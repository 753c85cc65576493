// SPDX-License-Identifier: Apache-2.0
// What outlives a simulated broker: a disk that fails, and the clocks of the machine it is in. On
// it lies the real store, whose writer is moved by hand: everything stays on one thread. It knows
// neither the broker nor what its clients were promised.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "hermod/base/log.hpp"
#include "hermod/base/rng.hpp"
#include "hermod/store/store.hpp"
#include "hermod/testkit/faulty_disk.hpp"
#include "options.hpp"
#include "spoilt_disk.hpp"

namespace hermod::sim {

/// How a broker ends.
enum class Stop : std::uint8_t {
  kClean,     ///< as a signal asks for
  kKilled,    ///< what it has written stays
  kPowerCut,  ///< what it has not synced is lost, kept or torn
};

class KeptStore {
 public:
  /// Clock and log outlive it.
  KeptStore(const Options& options, const Clock& clock, Log& log);

  /// Begins a life of the store, with a journal for each shard; `wake` is called with the index of
  /// one that should look at its journal. The power may go meanwhile, as often as `disk()` was told
  /// so. The error says why the store refuses to open.
  [[nodiscard]] std::expected<store::RecoveredState, std::string> open(
      std::uint16_t shards, const std::function<void(std::uint16_t)>& wake);
  [[nodiscard]] core::Journal& journal(std::uint16_t shard) { return *journals_[shard]; }
  /// One go of the writer.
  void write();
  /// Ends the life, once the shards are gone.
  void close(Stop how);

  [[nodiscard]] testkit::FaultyDisk& disk() { return disk_; }
  [[nodiscard]] core::Journal::State state() const { return store_->state(); }
  /// What was handed over before this instant is on the disk.
  [[nodiscard]] Instant safe_until() const { return safe_until_; }
  /// What the last life had done and was not safe was kept altogether, or not at all.
  [[nodiscard]] bool ended_whole() const { return ended_whole_; }
  /// Damaged records that the store has counted, over all its lives.
  [[nodiscard]] std::uint64_t damaged() const;
  /// How often it has become full or sealed, over all its lives.
  [[nodiscard]] std::uint64_t unwell() const { return unwell_; }
  /// Segments that were removed, over all its lives.
  [[nodiscard]] std::uint64_t removed() const;
  /// Somebody sets the wall clock; it is the given time ahead of what it was at first.
  void set_wall_ahead(Duration ahead) { wall_ahead_ = ahead; }

 private:
  [[nodiscard]] store::Moment moment() const;

  const Clock& clock_;
  Log& log_;
  store::StoreSettings settings_;
  SeededRng keys_;
  testkit::FaultyDisk disk_;
  SpoiltDisk spoilt_;
  std::unique_ptr<store::Store> store_;
  std::vector<std::unique_ptr<core::Journal>> journals_;
  Instant safe_until_{};
  Duration wall_ahead_{0};
  bool ended_whole_ = true;
  unsigned boots_ = 1;  // of the machine
  std::uint64_t damaged_ = 0;
  std::uint64_t removed_ = 0;
  std::uint64_t unwell_ = 0;
};

}  // namespace hermod::sim
