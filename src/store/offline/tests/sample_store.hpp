// SPDX-License-Identifier: Apache-2.0
// Stores with something of everything, from a seed, and what a start finds in a store, as text: to
// compare a store with what an export and an import have made of it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "hermod/base/rng.hpp"
#include "hermod/store/offline.hpp"
#include "hermod/store/store.hpp"
#include "hermod/testkit/faulty_disk.hpp"

namespace hermod::store {

/// Keeps books like the shard that it stands for. Only what is written with its last step is on the
/// disk.
class SampleStore {
 public:
  struct Counts {
    std::uint64_t complete_exchanges = 0;  ///< open
    std::uint64_t cut_off_exchanges = 0;   ///< open
    std::uint64_t released = 0;
    std::uint64_t waiting = 0;
    std::uint64_t ended = 0;  ///< subscribers
    std::uint64_t values = 0;
    std::uint64_t moved = 0;  ///< from the queue of one to that of another
  };

  SampleStore(testkit::FaultyDisk& disk, std::uint64_t seed);
  ~SampleStore();
  /// So many things happen; then everything is written.
  void live(std::uint64_t steps);
  [[nodiscard]] const Counts& counts();

 private:
  struct Queue {
    model::Tag next = 1;
    std::map<model::Tag, model::Guarantee> live;
    std::set<model::Tag> released;
    std::map<std::uint16_t, core::OpenExchange> exchanges;
  };

  void begin_subscriber();
  void end_subscriber();
  void publish();
  void settle();
  void move();
  void close();
  void retain();
  void declare();
  void check();
  void write();
  [[nodiscard]] std::pair<const core::QueueId, Queue>& any();
  [[nodiscard]] std::uint64_t below(std::uint64_t end) { return rng_.below(end); }

  SeededRng rng_;
  SeededRng keys_;
  NullLog log_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<core::Journal> journal_;
  std::map<core::QueueId, Queue> queues_;
  std::set<std::string> topics_;
  std::uint64_t samples_ = 0;
  Counts counts_;
};

/// What a start would find, everything of it, in a fixed order. Tests fail when it would refuse.
[[nodiscard]] std::string recovered_text(testkit::FaultyDisk& disk);

/// The lines of an export; with `report` also what it tells.
[[nodiscard]] std::string export_text(Disk& disk, ExportReport* report = nullptr);
/// Imports them.
[[nodiscard]] std::expected<ImportReport, std::string> import_text(Disk& disk,
                                                                   std::string_view text);

}  // namespace hermod::store
