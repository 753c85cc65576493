// SPDX-License-Identifier: Apache-2.0
#include "kept_store.hpp"

#include <fmt/format.h>

namespace hermod::sim {
namespace {

using core::Journal;
using std::chrono::milliseconds;

constexpr std::int64_t kWallBeginMs = 1'700'000'000'000;

}  // namespace

KeptStore::KeptStore(const Options& options, const Clock& clock, Log& log)
    : clock_(clock),
      log_(log),
      settings_{.folder = "disk",
                .segment_octets_max = options.kept.segment_octets,
                .clean_every = options.kept.cleans ? Duration{milliseconds{20}}
                                                   : Duration{std::chrono::hours{24}},
                .clocks = {.moment = [this] { return moment(); },
                           .boot_id = [this] { return fmt::format("boot-{}", boots_); }}},
      keys_(options.seed ^ 0x6b65),
      disk_(options.seed ^ 0xd15c),
      spoilt_(disk_, options.sabotage) {}

store::Moment KeptStore::moment() const {
  const Duration since = clock_.now().time_since_epoch();
  return {.now = clock_.now(),
          .wall_ms = kWallBeginMs + (since + wall_ahead_) / milliseconds{1},
          .since_boot = since};
}

std::expected<store::RecoveredState, std::string> KeptStore::open(
    std::uint16_t shards, const std::function<void(std::uint16_t)>& wake) {
  for (;;) {
    auto opened = store::Store::open(spoilt_, keys_, log_, settings_);
    std::string error = opened ? std::string{} : opened.error();
    if (opened) {
      store_ = std::move(*opened);
      auto state = store_->recover();
      if (state) {
        for (std::uint16_t i = 0; i < shards; ++i) {
          journals_.push_back(store_->make_journal([wake, i] { wake(i); }));
        }
        safe_until_ = clock_.now();
        return state;
      }
      error = state.error();
    }
    store_.reset();
    if (!disk_.stopped()) return std::unexpected(error);
    disk_.power_cut();
    ++boots_;
  }
}

void KeptStore::write() {
  const bool was_well = store_->state() == Journal::State::kWell;
  while (store_->write_once()) {
  }
  const bool is_well = store_->state() == Journal::State::kWell;
  if (was_well && !is_well) ++unwell_;
  if (is_well && !disk_.stopped()) safe_until_ = clock_.now();
}

void KeptStore::close(Stop how) {
  if (how == Stop::kClean) write();
  // Shards write what they have from each other each in its time.
  const bool together = how == Stop::kClean || (how == Stop::kKilled && journals_.size() == 1);
  ended_whole_ = together && !disk_.stopped() && state() == Journal::State::kWell;
  damaged_ = damaged();
  removed_ = removed();
  journals_.clear();
  store_.reset();
  disk_.fail_syncs(0, 0);
  disk_.set_capacity(UINT64_MAX);
  if (how == Stop::kPowerCut || disk_.stopped()) {
    disk_.power_cut();
    ++boots_;
  } else {
    disk_.kill();
  }
}

std::uint64_t KeptStore::damaged() const {
  return damaged_ + (store_ ? store_->counters().damaged : 0);
}

std::uint64_t KeptStore::removed() const {
  return removed_ + (store_ ? store_->counters().removed : 0);
}

}  // namespace hermod::sim
