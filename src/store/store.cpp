// SPDX-License-Identifier: Apache-2.0
#include "hermod/store/store.hpp"

#include <fmt/format.h>

#include <array>
#include <cstring>

#include "hermod/store/metadata.hpp"
#include "message_log.hpp"
#include "shard_journal.hpp"
#include "varint.hpp"

namespace hermod::store {

using core::Journal;

namespace {

// A sync of their own is worth nothing: what was settled and not written comes again after a kill,
// as it may.
constexpr Duration kSettlementsWait = std::chrono::milliseconds{50};

// Of memory, about.
std::size_t octets_of(const core::KeepSubscriber& change) {
  const model::OwnedMessage* const will = change.will ? change.will->message.get() : nullptr;
  return change.name.size() + (change.user ? change.user->size() : 0) + change.listener.size() +
         (will != nullptr ? will->memory() : 0);
}
std::size_t octets_of(const core::ForgetSubscriber&) {
  return 0;
}
std::size_t octets_of(const core::KeepSubscription& change) {
  return change.filter.size();
}
std::size_t octets_of(const core::ForgetSubscription& change) {
  return change.filter.size();
}
std::size_t octets_of(const core::KeepDeclaration& change) {
  const model::TopicProperties& said = change.properties;
  return change.topic.size() + said.resource_type.size() + said.content_type.size() +
         said.topic_type.size();
}
std::size_t octets_of(const core::ForgetDeclaration& change) {
  return change.topic.size();
}
std::size_t octets_of(const core::Change& change) {
  return sizeof(change) + std::visit([](const auto& what) { return octets_of(what); }, change);
}

}  // namespace

std::string to_text(const StoreSettings& settings) {
  switch (settings.durability) {
    case Durability::kSync:
      return "sync";
    case Durability::kInterval:
      return fmt::format("interval {}", settings.interval / std::chrono::milliseconds{1});
    case Durability::kNone:
      break;
  }
  return "none";
}

Store::Store(Log& log, StoreSettings settings) : settings_(std::move(settings)), log_(log) {}

Store::~Store() {
  stop();
}

std::expected<std::unique_ptr<Store>, std::string> Store::open(Disk& disk, Rng& rng, Log& log,
                                                               StoreSettings settings) {
  std::unique_ptr<Store> store{new Store(log, std::move(settings))};
  const StoreSettings& wanted = store->settings_;
  const std::uint64_t zeros = wanted.durability == Durability::kSync ? wanted.zeros_octets : 0;
  auto messages = MessageLog::open(disk, rng,
                                   {.segment_octets_max = wanted.segment_octets_max,
                                    .buffer_octets_max = wanted.buffer_octets_max,
                                    .zeros_octets = zeros});
  if (!messages) return std::unexpected(messages.error());
  store->messages_ = std::move(*messages);
  auto metadata = Metadata::open(
      disk, {.rng = rng, .folder = wanted.folder, .existing = store->messages_->was_there()});
  if (!metadata) return std::unexpected(metadata.error());
  store->metadata_ = std::move(*metadata);
  if (!store->messages_->belong_to(store->metadata_->key())) {
    return std::unexpected(fmt::format(
        "{}: metadata and log are of two stores. Put the {} that belongs to the log back, or move "
        "the log elsewhere.",
        wanted.folder, Metadata::kFileName));
  }
  store->boot_ = store->metadata_->boot();
  const std::string boot_id = wanted.clocks.boot_id();
  store->calendar_ =
      std::make_unique<Calendar>(store->metadata_->anchor(), wanted.clocks.moment(), boot_id);
  store->anchoring_ = std::make_unique<Anchoring>(*store->calendar_, boot_id);
  store->next_queue_ = store->metadata_->first_free_queue();
  store->clean_at_ = wanted.clocks.moment().now + wanted.clean_every;
  return store;
}

std::unique_ptr<core::Journal> Store::make_journal(std::function<void()> wake) {
  auto journal = std::make_unique<ShardJournal>(*this, static_cast<std::uint32_t>(journals_.size()),
                                                std::move(wake));
  journals_.push_back(journal.get());
  return journal;
}

// --- what the shards' journals do ---

core::CommitNumber Store::hand_over(core::Change change) {
  const std::lock_guard lock{changes_mutex_};
  const std::size_t octets = octets_of(change);
  if (state() != Journal::State::kSealed) changes_.push_back(std::move(change));
  return messages_->join(octets);
}

void Store::notify() {
  const std::lock_guard lock{wake_mutex_};
  work_ = true;
  if (asleep_) wake_.notify_one();
}

void Store::notify_of_settlements() {
  const std::lock_guard lock{wake_mutex_};
  if (std::exchange(settlements_, true)) return;
  if (asleep_) wake_.notify_one();
}

StoreCounters Store::counters() const {
  StoreCounters counters = counters_;
  counters.damaged = damaged_.load(std::memory_order_relaxed);
  return counters;
}

void Store::note_damage(core::Position position) {
  damaged_.fetch_add(1, std::memory_order_relaxed);
  log_.print(LogLevel::kError,
             "{}: the message at octet {} of segment {} is damaged or gone, and is lost.",
             settings_.folder, offset_of(position), segment_of(position));
}

// --- the writer ---

void Store::start() {
  thread_ = std::thread{[this] { run(); }};
}

void Store::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock{wake_mutex_};
    stopping_ = true;
    wake_.notify_one();
  }
  thread_.join();
}

void Store::run() {
  while (wait_for_work()) (void)write_once();
  write_rest();  // what came last
}

void Store::write_rest() {
  while (write_once()) {
  }
  if (state() == Journal::State::kWell) (void)messages_->sync();
}

// Sleeps until there is something to do; false: it is over.
bool Store::wait_for_work() {
  std::unique_lock lock{wake_mutex_};
  const auto due = [this] { return work_ || stopping_; };
  const auto due_or_settled = [&] { return settlements_ || due(); };
  Duration patience = worth_cleaning_ ? settings_.clean_every : Anchoring::kInterval;
  if (taken_ != 0) patience = settings_.retry;
  if (sync_at_ != kNever) patience = std::min(patience, settings_.interval);
  asleep_ = true;
  wake_.wait_for(lock, patience, due_or_settled);
  if (settlements_) wake_.wait_for(lock, kSettlementsWait, due);
  asleep_ = false;
  work_ = settlements_ = false;
  return !stopping_;
}

bool Store::write_once() {
  const Moment moment = settings_.clocks.moment();
  sync_now_and_then(moment.now);
  if (state() == Journal::State::kSealed) return false;
  if (anchoring_->due(moment)) keep_anchor();
  if (state() == Journal::State::kSealed) return false;  // what had been taken is let go of
  if (taken_ == 0) {
    write_generation();
    const auto batch = messages_->take_batch();
    if (!batch) {
      clean(moment.now);
      return false;
    }
    taken_ = *batch;
    const std::lock_guard lock{changes_mutex_};
    writing_.swap(changes_);
  }
  if (!write_changes() || !write_batch()) return false;
  ++counters_.batches;
  committed_.store(std::exchange(taken_, 0), std::memory_order_release);
  worth_cleaning_ = true;
  set_state(Journal::State::kWell, {});
  wake_shards();
  clean(moment.now);
  return true;
}

// Before the records of the same batch, which name queues that these make.
bool Store::write_changes() {
  if (writing_.empty()) return true;
  switch (metadata_->apply(writing_, *calendar_)) {
    case Metadata::Outcome::kOk:
      writing_.clear();
      note_generation_ = true;
      return true;
    case Metadata::Outcome::kFull:
      set_state(Journal::State::kFull, metadata_->why());
      return false;
    case Metadata::Outcome::kFailed:
      set_state(Journal::State::kSealed, metadata_->why());
      return false;
  }
  return false;
}

// Goes with the next records, so that the log knows of a change that the metadata has lost. It is
// worth no sync of its own.
void Store::write_generation() {
  if (!note_generation_ || messages_->open_batch() == committed()) return;
  note_generation_ = false;
  std::array<std::uint8_t, kVarintMax> body;
  const std::uint8_t* const end = put_varint(body.data(), metadata_->generation());
  (void)messages_->append(make_draft(RecordKind::kMetadata,
                                     {body.data(), static_cast<std::size_t>(end - body.data())}));
}

bool Store::write_batch() {
  const bool sync = settings_.durability == Durability::kSync;
  switch (messages_->write_batch(sync)) {
    case WriteResult::kDone:
      if (settings_.durability == Durability::kInterval && sync_at_ == kNever) {
        sync_at_ = settings_.clocks.moment().now + settings_.interval;
      }
      return true;
    case WriteResult::kFull:
      set_state(Journal::State::kFull, std::strerror(messages_->write_error()));
      return false;
    case WriteResult::kSealed:
      set_state(Journal::State::kSealed, std::strerror(messages_->write_error()));
      return false;
  }
  return false;
}

void Store::sync_now_and_then(Instant now) {
  if (now < sync_at_) return;
  sync_at_ = kNever;
  if (messages_->sync() == WriteResult::kSealed) {
    set_state(Journal::State::kSealed, std::strerror(messages_->write_error()));
  }
}

void Store::keep_anchor() {
  const Moment moment = settings_.clocks.moment();
  if (metadata_->keep_anchor(anchoring_->at(moment)) == Metadata::Outcome::kFailed) {
    set_state(Journal::State::kSealed, metadata_->why());
    return;
  }
  anchoring_->on_kept(moment);  // where there is no room, an older one serves until there is
}

// Sealed: what waits to be written is not needed any more.
void Store::give_up() {
  messages_->give_up();
  writing_ = {};
  const std::lock_guard lock{changes_mutex_};
  changes_ = {};
}

void Store::set_state(Journal::State state, const std::string& why) {
  const Journal::State before = state_.exchange(state);
  if (before == state) return;
  if (state == Journal::State::kFull) {
    log_.print(LogLevel::kError,
               "{}: there is no room ({}). Publications that would have to be kept are refused "
               "until there is; those of QoS 0 go on.",
               settings_.folder, why);
  } else if (state == Journal::State::kSealed) {
    give_up();
    log_.print(LogLevel::kError,
               "{}: writing failed ({}). The store is sealed: what is to be kept is not "
               "acknowledged any more. Look after the disk, then start again: what was "
               "acknowledged is there.",
               settings_.folder, why);
  } else {
    log_.print(LogLevel::kNotice, "{}: there is room again.", settings_.folder);
  }
  wake_shards();
}

void Store::wake_shards() {
  for (ShardJournal* journal : journals_) journal->on_committed();
}

}  // namespace hermod::store
