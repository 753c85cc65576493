// SPDX-License-Identifier: Apache-2.0
// What the store keeps that is small and seldom changed, in one SQLite database: subscribers with
// their wills, subscriptions and memberships, declared topics, and what the store has to know of
// itself. docs/formats/metadata.md tells the tables; messages are in the log.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "hermod/base/rng.hpp"
#include "hermod/core/journal.hpp"
#include "hermod/store/calendar.hpp"
#include "hermod/store/disk.hpp"

namespace hermod::store {

/// Of one thread at a time. Wills that load() gives hold messages of the thread that called it.
///
///   auto metadata = Metadata::open(disk, {.rng = rng, .folder = "/var/lib/hermod"});
///   if (!metadata) return refuse_to_start(metadata.error());
///   const Calendar calendar((*metadata)->anchor(), system_moment(), system_boot_id());
///   auto loaded = (*metadata)->load(calendar, [](core::Change change) { ... });
///   (*metadata)->apply(changes, calendar);
class Metadata {
 public:
  /// Its file on the disk; SQLite's other files are named after it.
  static constexpr const char* kFileName = "metadata.sqlite";
  /// The largest number of a queue: an exchange's name has 48 bits for it (core::exchange_of()).
  static constexpr core::QueueId kQueueMax = (core::QueueId{1} << 48) - 1;
  /// Grows with each change of the tables.
  static constexpr int kSchemaVersion = 1;

  /// What became of what was to be kept. Nothing is ever kept in part.
  enum class Outcome : std::uint8_t {
    kOk,    ///< it survives a power cut
    kFull,  ///< no room: nothing has changed, and it may be tried again
    /// Nobody knows whether it is kept: nothing more is, whatever is asked, and nothing that
    /// depends on it may be promised.
    kFailed,
  };

  struct Settings {
    Rng& rng;                 ///< the key of a new store is of it
    std::string folder = {};  ///< where the disk is, for people
    /// There must be one with something in it, as a log is there that belongs to it.
    bool existing = false;
  };

  /// Opens the database, or makes a new one when there is none (or an empty one) and none is
  /// expected. Looks for damage; what lies in the rows is looked at by load(). Counts boot(). The
  /// error says what is wrong, why, and how to mend it. `disk` is this one's alone, and outlives
  /// it.
  [[nodiscard]] static std::expected<std::unique_ptr<Metadata>, std::string> open(
      Disk& disk, const Settings& settings);
  ~Metadata();

  /// Random, and the store's for ever.
  [[nodiscard]] std::uint64_t key() const;
  /// How often the store has been opened, this time included.
  [[nodiscard]] std::uint64_t boot() const;
  /// How often something was kept: grows by one with each kOk; opening it does not count. When the
  /// log tells of a larger one, something that was kept is lost.
  [[nodiscard]] std::uint64_t generation() const;
  /// No queue has had this number or a larger one, as all that were kept are smaller, also those
  /// that are forgotten. Grows while changes are applied; new numbers are counted up from what it
  /// was after opening.
  [[nodiscard]] core::QueueId first_free_queue() const;
  /// Where the calendar is to go on; nothing when there is no anchor yet.
  [[nodiscard]] const std::optional<Anchor>& anchor() const;

  /// Keeps all of these changes, in their order, or none. A subscription is kept only behind its
  /// subscriber: otherwise all fails. What is forgotten need not be there.
  [[nodiscard]] Outcome apply(std::span<const core::Change> changes, const Calendar& calendar);
  [[nodiscard]] Outcome keep_anchor(const Anchor& anchor);
  /// Why the last outcome was not kOk, for people.
  [[nodiscard]] const std::string& why() const;

  /// Gives the changes that make up all that is kept: subscribers by their queues, each followed by
  /// its subscriptions, and then the declarations. An error tells of damage, as open() does; what
  /// was given until then is to be thrown away.
  [[nodiscard]] std::expected<void, std::string> load(
      const Calendar& calendar, const std::function<void(core::Change&&)>& visitor);

 private:
  struct Opened;  // the database, its statements and the row of the store
  explicit Metadata(std::unique_ptr<Opened> opened);

  std::unique_ptr<Opened> opened_;
};

}  // namespace hermod::store
