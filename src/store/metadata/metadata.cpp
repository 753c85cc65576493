// SPDX-License-Identifier: Apache-2.0
#include "hermod/store/metadata.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "hermod/base/assert.hpp"
#include "load.hpp"
#include "message_blob.hpp"
#include "schema.hpp"
#include "sqlite.hpp"
#include "wal_check.hpp"

namespace hermod::store {
namespace {

// Pages of the write-ahead log after which it is put into the database.
constexpr int kCheckpointPages = 1000;

std::int64_t number(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}
std::int64_t number(bool value) {
  return value ? 1 : 0;
}
Value time_value(Instant at, const Calendar& calendar) {
  return at == kNever ? Value{nullptr} : Value{calendar.to_calendar(at)};
}
Value text_value(const std::optional<std::string>& text) {
  return text ? Value{std::string_view{*text}} : Value{nullptr};
}
Value text(std::string_view text) {
  return text;
}

struct Prepared {
  const char* sql;
  Statement* statement;
};

}  // namespace

struct Metadata::Opened {
  explicit Opened(Disk& disk) : vfs(disk) {}

  std::string path;
  SqliteVfs vfs;
  Database database;  // closed after its statements are gone
  StoreRow store;
  std::string why;
  // A transaction that was rolled back may have left frames in the write-ahead log. They are not
  // written over, see wal_check.hpp, but cut away before.
  bool leftovers = false;
  bool usable = false;  // opened, and found undamaged
  bool sealed = false;  // something could not be written
  int wal_pages = 0;    // since the last checkpoint that went through
  std::vector<std::uint8_t> blob;

  Statement begin, commit, rollback, keep_store;
  Statement keep_subscriber, forget_subscriber, keep_subscription, forget_subscription;
  Statement keep_declaration, forget_declaration;

  ~Opened() {
    // What could not be written stays as it is, for whoever looks for what is wrong.
    const bool well = usable && !sealed;
    if (well) (void)checkpoint_on_close(database.get(), true);
  }

  int prepare();
  int write_store();
  int read_store(Rng& rng, bool& damaged);

  // One for each change; SQLite's code.
  int write(const core::KeepSubscriber& change, const Calendar& calendar);
  int write(const core::ForgetSubscriber& change, const Calendar& calendar);
  int write(const core::KeepSubscription& change, const Calendar& calendar);
  int write(const core::ForgetSubscription& change, const Calendar& calendar);
  int write(const core::KeepDeclaration& change, const Calendar& calendar);
  int write(const core::ForgetDeclaration& change, const Calendar& calendar);

  // `counts`: it makes another generation.
  template <typename Work>
  Outcome transaction(Work&& work, bool counts = true);
  Outcome fail(int code);
  int cut_wal();
};

int Metadata::Opened::prepare() {
  const Prepared all[] = {
      {"BEGIN IMMEDIATE", &begin},
      {"COMMIT", &commit},
      {"ROLLBACK", &rollback},
      {"INSERT OR REPLACE INTO store VALUES(?,?,?,?,?,?,?,?,?,?)", &keep_store},
      // Not REPLACE, which would take the subscriptions away.
      {"INSERT INTO subscriber VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)"
       " ON CONFLICT(queue) DO UPDATE SET name=excluded.name, is_group=excluded.is_group,"
       " expiry_s=excluded.expiry_s, expires_at_ms=excluded.expires_at_ms, away=excluded.away,"
       " owner=excluded.owner, listener=excluded.listener, will_message=excluded.will_message,"
       " will_delay_s=excluded.will_delay_s, will_expiry_s=excluded.will_expiry_s,"
       " will_due_ms=excluded.will_due_ms, sum=excluded.sum",
       &keep_subscriber},
      {"DELETE FROM subscriber WHERE queue=?", &forget_subscriber},
      {"INSERT OR REPLACE INTO subscription VALUES(?,?,?,?,?,?,?,?)", &keep_subscription},
      {"DELETE FROM subscription WHERE queue=? AND filter=?", &forget_subscription},
      {"INSERT OR REPLACE INTO declaration VALUES(?,?,?,?,?,?,?,?)", &keep_declaration},
      {"DELETE FROM declaration WHERE topic=?", &forget_declaration},
  };
  for (const Prepared& each : all) {
    const int code = each.statement->prepare(database.get(), each.sql);
    if (code != SQLITE_OK) return code;
  }
  sqlite3_wal_hook(
      database.get(),
      [](void* self, sqlite3*, const char*, int pages) {
        static_cast<Opened*>(self)->wal_pages = pages;
        return SQLITE_OK;
      },
      this);
  return SQLITE_OK;
}

// --- the store's own row ---

int Metadata::Opened::write_store() {
  const auto& anchor = store.anchor;
  return keep_store.run_summed(
      std::int64_t{1}, number(store.key), number(store.boot), number(store.generation),
      number(store.first_free_queue), anchor ? Value{anchor->calendar_ms} : Value{nullptr},
      anchor ? Value{anchor->wall_ms} : Value{nullptr},
      anchor ? Value{std::int64_t{anchor->since_boot.count()}} : Value{nullptr},
      anchor ? text(anchor->boot_id) : Value{nullptr});
}

int Metadata::Opened::read_store(Rng& rng, bool& damaged) {
  Statement read;
  int code = read.prepare(database.get(), "SELECT * FROM store");
  if (code != SQLITE_OK) return code;
  code = read.step();
  if (code == SQLITE_DONE) {  // new: nobody can be there without this row
    damaged = !ask(database.get(), "SELECT 1 FROM subscriber UNION SELECT 1 FROM declaration")
                   .text.empty();
    store.key = rng.next();
    return SQLITE_OK;
  }
  if (code != SQLITE_ROW) return code;
  damaged = !read.sum_is_right();
  store = store_row_of(read);
  return SQLITE_OK;
}

// --- changes ---

int Metadata::Opened::write(const core::KeepSubscriber& change, const Calendar& calendar) {
  HERMOD_ASSERT(change.queue > 0 && change.queue <= kQueueMax);
  store.first_free_queue = std::max(store.first_free_queue, change.queue + 1);
  blob.clear();
  const auto& will = change.will;
  if (will) encode_message(*will->message, calendar, blob);
  return keep_subscriber.run_summed(
      number(change.queue), text(change.name), number(change.group), std::int64_t{change.expiry_s},
      time_value(change.expires_at, calendar), number(change.away), text_value(change.user),
      text(change.listener), will ? Value{Bytes{blob}} : Value{nullptr},
      will ? Value{std::int64_t{will->delay_s}} : Value{nullptr},
      will ? optional_value(will->expiry_s) : Value{nullptr},
      will ? time_value(will->due, calendar) : Value{nullptr});
}

int Metadata::Opened::write(const core::ForgetSubscriber& change, const Calendar&) {
  return forget_subscriber.run(number(change.queue));
}

int Metadata::Opened::write(const core::KeepSubscription& change, const Calendar&) {
  const model::SubscriptionOptions& options = change.options;
  return keep_subscription.run_summed(
      number(change.queue), text(change.filter),
      number(std::uint64_t{std::to_underlying(options.guarantee_max)}),
      number(std::uint64_t{std::to_underlying(options.retain_handling)}), number(options.no_local),
      number(options.retain_as_published), std::int64_t{options.subscription_id});
}

int Metadata::Opened::write(const core::ForgetSubscription& change, const Calendar&) {
  return forget_subscription.run(number(change.queue), text(change.filter));
}

int Metadata::Opened::write(const core::KeepDeclaration& change, const Calendar&) {
  const model::TopicProperties& is = change.properties;
  return keep_declaration.run_summed(
      text(change.topic), text(is.resource_type), text(is.content_type), text(is.topic_type),
      optional_value(is.expires_at_s), optional_value(is.subscribers_max),
      optional_value(is.observer_check_s));
}

int Metadata::Opened::write(const core::ForgetDeclaration& change, const Calendar&) {
  return forget_declaration.run(text(change.topic));
}

// --- transactions ---

// Runs `work`, which gives a code and may change `store`, between BEGIN and COMMIT.
template <typename Work>
Metadata::Outcome Metadata::Opened::transaction(Work&& work, bool counts) {
  if (sealed) return Outcome::kFailed;
  const StoreRow before = store;
  int code = leftovers ? cut_wal() : SQLITE_OK;
  if (code == SQLITE_OK) code = begin.run();
  if (code == SQLITE_OK) code = work();
  if (counts) ++store.generation;
  if (code == SQLITE_OK) code = write_store();
  if (code == SQLITE_OK) code = commit.run();
  if (code != SQLITE_OK) {
    store = before;
    return fail(code);
  }
  // SQLite would do this by itself, and say nothing when it fails.
  if (wal_pages >= kCheckpointPages) code = cut_wal();
  // Without room it is for the next time: the write-ahead log has everything.
  return code == SQLITE_OK || code == SQLITE_FULL ? Outcome::kOk : fail(code);
}

Metadata::Outcome Metadata::Opened::fail(int code) {
  if (code == SQLITE_FULL) {
    why = complaint(path, database.get(), code);
  } else {
    const int system = sqlite3_system_errno(database.get());
    why = fmt::format(
        "the metadata '{}' could not be written: {}{}{}. Nothing more is kept: see to its disk,"
        " then start the broker again",
        path, sqlite3_errmsg(database.get()), system == 0 ? "" : ": ",
        system == 0 ? "" : std::strerror(system));
  }
  int undone = SQLITE_OK;
  if (sqlite3_get_autocommit(database.get()) == 0) undone = rollback.run();
  leftovers = true;
  if (code == SQLITE_FULL && undone == SQLITE_OK) return Outcome::kFull;
  sealed = true;
  return Outcome::kFailed;
}

int Metadata::Opened::cut_wal() {
  const int code = checkpoint(database.get());
  if (code != SQLITE_OK) return code;
  wal_pages = 0;
  leftovers = false;
  return SQLITE_OK;
}

// --- Metadata ---

Metadata::Metadata(std::unique_ptr<Opened> opened) : opened_(std::move(opened)) {}
Metadata::~Metadata() = default;

std::expected<std::unique_ptr<Metadata>, std::string> Metadata::open(Disk& disk,
                                                                     const Settings& settings) {
  auto opened = std::make_unique<Opened>(disk);
  opened->path =
      settings.folder.empty() ? kFileName : fmt::format("{}/{}", settings.folder, kFileName);
  if (const auto whole = check_wal(disk, std::string(kFileName) + "-wal"); !whole) {
    return std::unexpected(damage(opened->path, whole.error()));
  }
  auto database = open_database(opened->vfs, opened->path, settings.existing);
  if (!database) return std::unexpected(database.error());
  opened->database = std::move(*database);
  bool damaged = false;
  int code = opened->prepare();
  if (code == SQLITE_OK) code = opened->read_store(settings.rng, damaged);
  if (code != SQLITE_OK) {
    return std::unexpected(complaint(opened->path, opened->database.get(), code));
  }
  if (damaged) {
    return std::unexpected(damage(opened->path, "what the store keeps of itself is not whole"));
  }
  opened->usable = true;
  const auto count_boot = [&] {
    ++opened->store.boot;
    return SQLITE_OK;
  };
  // Otherwise metadata that has lost changes would only have to be opened often enough.
  if (opened->transaction(count_boot, false) != Outcome::kOk) return std::unexpected(opened->why);
  return std::unique_ptr<Metadata>(new Metadata(std::move(opened)));
}

std::uint64_t Metadata::key() const {
  return opened_->store.key;
}
std::uint64_t Metadata::boot() const {
  return opened_->store.boot;
}
std::uint64_t Metadata::generation() const {
  return opened_->store.generation;
}
core::QueueId Metadata::first_free_queue() const {
  return opened_->store.first_free_queue;
}
const std::optional<Anchor>& Metadata::anchor() const {
  return opened_->store.anchor;
}
const std::string& Metadata::why() const {
  return opened_->why;
}

Metadata::Outcome Metadata::apply(std::span<const core::Change> changes, const Calendar& calendar) {
  if (changes.empty()) return opened_->sealed ? Outcome::kFailed : Outcome::kOk;
  return opened_->transaction([&] {
    for (const core::Change& change : changes) {
      const int code =
          std::visit([&](const auto& each) { return opened_->write(each, calendar); }, change);
      if (code != SQLITE_OK) return code;
    }
    return SQLITE_OK;
  });
}

Metadata::Outcome Metadata::keep_anchor(const Anchor& anchor) {
  if (opened_->sealed) return Outcome::kFailed;
  return opened_->transaction([&] {
    opened_->store.anchor = anchor;
    return SQLITE_OK;
  });
}

std::expected<void, std::string> Metadata::load(
    const Calendar& calendar, const std::function<void(core::Change&&)>& visitor) {
  return load_changes(opened_->path, opened_->database.get(), calendar, visitor);
}

}  // namespace hermod::store
