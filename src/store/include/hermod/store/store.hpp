// SPDX-License-Identifier: Apache-2.0
// The store: where everything lies that must survive a stop. One directory, one thread that writes,
// and a journal for each shard. docs/decisions/0010-store.md tells the whole.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "hermod/base/log.hpp"
#include "hermod/base/rng.hpp"
#include "hermod/core/journal.hpp"
#include "hermod/core/queue.hpp"
#include "hermod/model/inflight.hpp"
#include "hermod/store/calendar.hpp"
#include "hermod/store/disk.hpp"

namespace hermod::store {

class MessageLog;
class Metadata;
class ShardJournal;

/// When what was written counts as safe.
enum class Durability : std::uint8_t {
  kSync,      ///< once it survives a power cut
  kInterval,  ///< once it survives the end of the process; a power cut loses at most an interval
  kNone,      ///< once it survives the end of the process; the system syncs when it likes
};

struct StoreSettings {
  std::string folder;  ///< where the disk is, for people
  Durability durability = Durability::kSync;
  Duration interval = std::chrono::seconds{1};  ///< kInterval
  std::uint64_t segment_octets_max = 64u << 20;
  std::uint64_t buffer_octets_max = 64u << 20;
  /// How far the log's file is filled with zeros in front of the records: syncs are cheaper then.
  std::uint64_t zeros_octets = 1u << 20;
  Duration clean_every = std::chrono::milliseconds{200};  ///< looks for what may go
  Duration retry = std::chrono::milliseconds{250};        ///< while the disk is full
  Clocks clocks = {};
};

/// "sync", "interval 1000", "none".
[[nodiscard]] std::string to_text(const StoreSettings& settings);

/// What an earlier run has left.
struct RecoveredQueue {
  core::KeepSubscriber subscriber;
  std::vector<core::KeepSubscription> subscriptions;
  core::Queue queue;
  model::Inflight inflight;                   ///< exchanges of exactly once that go on, both ways
  std::vector<core::OpenExchange> exchanges;  ///< that this publisher has open
};
struct RecoveredValue {
  model::MessageRef message;
  core::Position position = 0;
};
struct RecoveredState {
  std::vector<RecoveredQueue> queues;
  std::vector<RecoveredValue> values;
  std::vector<core::KeepDeclaration> declarations;
  std::uint64_t messages = 0;  ///< entries of all queues
  std::uint64_t version = 0;   ///< the largest of all values, those that were cleared included
};

/// Counted since the start.
struct StoreCounters {
  std::uint64_t batches = 0;
  std::uint64_t removed = 0;    ///< segments
  std::uint64_t evacuated = 0;  ///< of them those that were read for what was left
  std::uint64_t damaged = 0;    ///< records that could not be read, at the start and later
};

class Store {
 public:
  /// Opens what is there, or makes a new one; the error says what is wrong and how to mend it.
  /// Disk, generator and log outlive the store.
  [[nodiscard]] static std::expected<std::unique_ptr<Store>, std::string> open(
      Disk& disk, Rng& rng, Log& log, StoreSettings settings);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// Reads everything that an earlier run has left. Once, before anything is written.
  [[nodiscard]] std::expected<RecoveredState, std::string> recover();

  /// A journal for one more shard; `wake` is called, from the writer's thread, when a shard that
  /// waits for a commit should look at it. The store outlives it.
  [[nodiscard]] std::unique_ptr<core::Journal> make_journal(std::function<void()> wake);

  /// Starts the thread that writes; stop() ends it when all is written.
  void start();
  void stop();
  /// Without a thread: writes what there is, and makes it safe.
  void write_rest();
  /// Without a thread: writes one batch, if there is one; false when nothing was done.
  bool write_once();

  [[nodiscard]] core::Journal::State state() const {
    return state_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] core::CommitNumber committed() const {
    return committed_.load(std::memory_order_acquire);
  }
  /// By the thread that made it, or after stop().
  [[nodiscard]] StoreCounters counters() const;

 private:
  friend class ShardJournal;
  Store(Log& log, StoreSettings settings);

  // --- of the shards' journals, any thread ---
  core::CommitNumber hand_over(core::Change change);
  void notify();
  void notify_of_settlements();
  void note_damage(core::Position position);
  void note_clear(std::uint32_t segment);
  [[nodiscard]] std::uint64_t boot() const { return boot_; }

  // --- of the writer ---
  void run();
  bool wait_for_work();
  [[nodiscard]] bool write_changes();
  [[nodiscard]] bool write_batch();
  void write_generation();
  void keep_anchor();
  void sync_now_and_then(Instant now);
  void set_state(core::Journal::State state, const std::string& why);
  void give_up();
  void wake_shards();

  // --- of the writer: store_clean.cpp ---
  void clean(Instant now);
  void condemn_dead();
  void remove_condemned();
  void let_go_of_clears();
  [[nodiscard]] std::uint64_t take_clears(std::uint32_t segment);
  void evacuate();

  StoreSettings settings_;
  Log& log_;
  std::unique_ptr<Metadata> metadata_;
  std::unique_ptr<Calendar> calendar_;
  std::unique_ptr<Anchoring> anchoring_;
  std::unique_ptr<MessageLog> messages_;
  std::atomic<core::QueueId> next_queue_ = 1;
  std::atomic<core::Journal::State> state_ = core::Journal::State::kWell;
  std::atomic<core::CommitNumber> committed_ = 0;
  std::atomic<std::uint64_t> damaged_ = 0;
  std::uint64_t boot_ = 0;

  std::mutex clears_mutex_;
  std::map<std::uint32_t, std::uint64_t> clears_;  // by segment: clears that must not go yet

  std::mutex changes_mutex_;
  std::vector<core::Change> changes_;  // of the open batch

  std::vector<core::Change> writing_;  // the writer's
  core::CommitNumber taken_ = 0;       // a batch that has been taken and not written; 0: none
  bool note_generation_ = false;       // the metadata has changed, and the log does not know
  Instant sync_at_ = kNever;
  Instant clean_at_{};
  bool worth_cleaning_ = false;  // also when nothing more is written
  std::uint32_t told_ = 1;       // that this segment has begun
  // Segments that nothing refers to any more once the batch is committed.
  struct Condemned {
    std::uint32_t segment = 0;
    core::CommitNumber commit = 0;
  };
  std::vector<Condemned> condemned_;
  std::set<std::uint32_t> evacuated_;
  StoreCounters counters_;

  std::mutex wake_mutex_;
  std::condition_variable wake_;
  bool work_ = false;
  bool settlements_ = false;  // nobody waits for them: they go with the next batch, if it is soon
  bool asleep_ = false;
  bool stopping_ = false;
  std::vector<ShardJournal*> journals_;
  std::thread thread_;
};

}  // namespace hermod::store
