// SPDX-License-Identifier: Apache-2.0
#include "load.hpp"

#include <fmt/format.h>

#include "message_blob.hpp"
#include "schema.hpp"

namespace hermod::store {
namespace {

using Visitor = std::function<void(core::Change&&)>;
using Loaded = std::expected<void, std::string>;

Instant instant_of(std::optional<std::int64_t> at, const Calendar& calendar) {
  return at ? calendar.to_instant(*at) : kNever;
}
std::optional<std::uint32_t> maybe_u32(std::optional<std::int64_t> value) {
  if (!value) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

// A table, read row by row; each row's sum is checked before it is handed out.
class Table {
 public:
  Table(const std::string& path, sqlite3* database, const char* name, const char* order)
      : path_(path), database_(database), name_(name) {
    code_ = rows.prepare(database, fmt::format("SELECT * FROM {} ORDER BY {}", name, order));
    if (code_ == SQLITE_OK) next();
  }

  /// There is a row, and it is whole.
  [[nodiscard]] bool has_row() const { return code_ == SQLITE_ROW; }
  void next() {
    code_ = rows.step();
    if (code_ == SQLITE_ROW && !rows.sum_is_right()) fail("its sum is wrong");
  }
  void fail(std::string_view what) {
    wrong_ = damage(path_, fmt::format("a row of the table '{}': {}", name_, what));
    code_ = SQLITE_CORRUPT;
  }
  /// After the last row.
  [[nodiscard]] Loaded finish() const {
    if (code_ == SQLITE_DONE) return {};
    return std::unexpected(wrong_.empty() ? complaint(path_, database_, code_) : wrong_);
  }

  Statement rows;

 private:
  const std::string& path_;
  sqlite3* database_;
  const char* name_;
  int code_ = SQLITE_OK;
  std::string wrong_;
};

// Both tables in the order of their queues, side by side.
Loaded load_subscribers(const std::string& path, sqlite3* database, const Calendar& calendar,
                        const Visitor& visitor) {
  Table subscribers(path, database, "subscriber", "queue");
  Table subscriptions(path, database, "subscription", "queue, filter");
  while (subscribers.has_row()) {
    auto subscriber = subscriber_of(subscribers.rows, calendar);
    if (!subscriber) {
      subscribers.fail(subscriber.error());
      break;
    }
    const core::QueueId queue = subscriber->queue;
    visitor(std::move(*subscriber));
    while (subscriptions.has_row() &&
           static_cast<core::QueueId>(subscriptions.rows.integer(0)) == queue) {
      visitor(subscription_of(subscriptions.rows));
      subscriptions.next();
    }
    subscribers.next();
  }
  if (Loaded all = subscribers.finish(); !all) return all;
  if (subscriptions.has_row()) subscriptions.fail("its subscriber is not there");
  return subscriptions.finish();
}

}  // namespace

StoreRow store_row_of(const Statement& row) {
  StoreRow store{.key = static_cast<std::uint64_t>(row.integer(1)),
                 .boot = static_cast<std::uint64_t>(row.integer(2)),
                 .generation = static_cast<std::uint64_t>(row.integer(3)),
                 .first_free_queue = static_cast<core::QueueId>(row.integer(4))};
  if (const auto calendar_ms = row.maybe_integer(5)) {
    store.anchor = Anchor{.calendar_ms = *calendar_ms,
                          .wall_ms = row.integer(6),
                          .since_boot = Duration{row.integer(7)},
                          .boot_id = std::string{row.text(8)}};
  }
  return store;
}

std::expected<core::KeepSubscriber, std::string> subscriber_of(const Statement& row,
                                                               const Calendar& calendar) {
  core::KeepSubscriber subscriber{
      .queue = static_cast<core::QueueId>(row.integer(0)),
      .name = std::string{row.text(1)},
      .group = row.integer(2) != 0,
      .expiry_s = static_cast<std::uint32_t>(row.integer(3)),
      .expires_at = instant_of(row.maybe_integer(4), calendar),
      .away = row.integer(5) != 0,
      .user = row.maybe_text(6),
      .listener = std::string{row.text(7)},
  };
  const Bytes blob = row.octets(8);
  if (blob.empty()) return subscriber;
  auto message = decode_message(blob, calendar);
  if (!message) return std::unexpected(fmt::format("its will: {}", message.error()));
  subscriber.will = core::KeptWill{.message = std::move(*message),
                                   .delay_s = static_cast<std::uint32_t>(row.integer(9)),
                                   .expiry_s = maybe_u32(row.maybe_integer(10)),
                                   .due = instant_of(row.maybe_integer(11), calendar)};
  return subscriber;
}

core::KeepSubscription subscription_of(const Statement& row) {
  return {.queue = static_cast<core::QueueId>(row.integer(0)),
          .filter = std::string{row.text(1)},
          .options = {.guarantee_max = static_cast<model::Guarantee>(row.integer(2)),
                      .retain_handling = static_cast<model::RetainHandling>(row.integer(3)),
                      .no_local = row.integer(4) != 0,
                      .retain_as_published = row.integer(5) != 0,
                      .subscription_id = static_cast<std::uint32_t>(row.integer(6))}};
}

core::KeepDeclaration declaration_of(const Statement& row) {
  return {.topic = std::string{row.text(0)},
          .properties = {.resource_type = std::string{row.text(1)},
                         .content_type = std::string{row.text(2)},
                         .topic_type = std::string{row.text(3)},
                         .expires_at_s = row.maybe_integer(4),
                         .subscribers_max = maybe_u32(row.maybe_integer(5)),
                         .observer_check_s = maybe_u32(row.maybe_integer(6))}};
}

Loaded load_changes(const std::string& path, sqlite3* database, const Calendar& calendar,
                    const Visitor& visitor) {
  if (Loaded loaded = load_subscribers(path, database, calendar, visitor); !loaded) return loaded;
  Table declarations(path, database, "declaration", "topic");
  for (; declarations.has_row(); declarations.next()) {
    visitor(declaration_of(declarations.rows));
  }
  return declarations.finish();
}

}  // namespace hermod::store
