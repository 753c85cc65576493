// SPDX-License-Identifier: Apache-2.0
#include "salvage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "hermod/store/metadata.hpp"
#include "schema.hpp"

namespace hermod::store {
namespace {

// How often what lies between two damaged places is halved to find rows in it.
constexpr int kHalvings = 8;
// Rows of a table that are named; what is more is counted.
constexpr std::size_t kNamedMax = 64;

// One table, as far as its rows can be got at.
class TableSalvage {
 public:
  // What a row says; what is wrong with it.
  using Take = std::function<std::string(const Statement&)>;

  TableSalvage(sqlite3* database, std::string name, std::string order, Take take)
      : database_(database),
        name_(std::move(name)),
        order_(std::move(order)),
        take_(std::move(take)) {}

  /// Everything, from both ends.
  void read() {
    if (!walk("", false).failed) return;
    (void)walk("", true);
  }

  /// The same by the numbers of queues, which are the first column: also what lies between two
  /// places that cannot be read.
  void read_queues(std::int64_t first, std::int64_t last, int halvings = kHalvings) {
    const std::string range = fmt::format(" WHERE queue BETWEEN {} AND {}", first, last);
    const Walk up = walk(range, false);
    if (!up.failed) return;
    const Walk down = walk(range, true);
    if (!down.failed || halvings == 0) return;
    if (up.last) first = *up.last + 1;
    if (down.last) last = *down.last - 1;
    if (first > last) return;
    const std::int64_t middle = first + (last - first) / 2;
    read_queues(first, middle, halvings - 1);
    read_queues(middle + 1, last, halvings - 1);
  }

  void tell(std::vector<std::string>& lost) const {
    if (!why_.empty()) {
      lost.push_back(fmt::format("a part of the table '{}' cannot be read: {}", name_, why_));
    }
    std::size_t named = 0;
    for (const std::string& wrong : wrong_) {
      if (named++ == kNamedMax) break;
      lost.push_back(wrong);
    }
    if (wrong_.size() > kNamedMax) {
      lost.push_back(
          fmt::format("{} more rows of the table '{}'", wrong_.size() - kNamedMax, name_));
    }
  }

 private:
  struct Walk {
    bool failed = false;
    std::optional<std::int64_t> last;  // number in the first column of the last row that came
  };

  Walk walk(const std::string& range, bool down) {
    std::string order = order_;
    if (down) {
      for (std::size_t at = 0; (at = order.find(',', at)) != std::string::npos; at += 6) {
        order.insert(at, " DESC");
      }
      order += " DESC";
    }
    Statement rows;
    Walk walk;
    int code =
        rows.prepare(database_, fmt::format("SELECT * FROM {}{} ORDER BY {}", name_, range, order));
    if (code == SQLITE_OK) code = rows.step();
    for (; code == SQLITE_ROW; code = rows.step()) {
      walk.last = rows.integer(0);
      const std::string wrong = rows.sum_is_right() ? take_(rows) : "its sum is wrong";
      if (wrong.empty()) continue;
      wrong_.insert(fmt::format("a row of the table '{}' ({}): {}", name_, rows.text(0), wrong));
    }
    walk.failed = code != SQLITE_DONE;
    if (walk.failed) why_ = sqlite3_errmsg(database_);
    return walk;
  }

  sqlite3* database_;
  std::string name_;
  std::string order_;
  Take take_;
  std::string why_;
  std::set<std::string> wrong_;
};

// Everything that can be read; see salvage().
class Rescue {
 public:
  Rescue(sqlite3* database, const Calendar& calendar) : database_(database), calendar_(calendar) {}

  Salvage run() {
    read_store();
    const core::QueueId end = salvage_.store ? salvage_.store->first_free_queue : 0;
    const auto last = static_cast<std::int64_t>(
        end > 1 && end <= Metadata::kQueueMax ? end - 1 : Metadata::kQueueMax);
    read_subscribers(last);
    read_subscriptions(last);
    read_declarations();
    give();
    return std::move(salvage_);
  }

 private:
  void read_store() {
    TableSalvage table(database_, "store", "id", [this](const Statement& row) {
      salvage_.store = store_row_of(row);
      return std::string{};
    });
    table.read();
    table.tell(salvage_.lost);
  }
  void read_subscribers(std::int64_t last) {
    TableSalvage table(database_, "subscriber", "queue", [this](const Statement& row) {
      auto subscriber = subscriber_of(row, calendar_);
      if (!subscriber) return subscriber.error();
      subscribers_.insert_or_assign(subscriber->queue, std::move(*subscriber));
      return std::string{};
    });
    table.read_queues(1, last);
    table.tell(salvage_.lost);
  }
  void read_subscriptions(std::int64_t last) {
    TableSalvage table(database_, "subscription", "queue, filter", [this](const Statement& row) {
      core::KeepSubscription subscription = subscription_of(row);
      subscriptions_[subscription.queue].insert_or_assign(subscription.filter, subscription);
      return std::string{};
    });
    table.read_queues(1, last);
    table.tell(salvage_.lost);
  }
  void read_declarations() {
    TableSalvage table(database_, "declaration", "topic", [this](const Statement& row) {
      core::KeepDeclaration declaration = declaration_of(row);
      declarations_.insert_or_assign(declaration.topic, declaration);
      return std::string{};
    });
    table.read();
    table.tell(salvage_.lost);
  }

  void give() {
    for (auto& [queue, subscriber] : subscribers_) {
      salvage_.changes.emplace_back(std::move(subscriber));
      const auto of_it = subscriptions_.find(queue);
      if (of_it == subscriptions_.end()) continue;
      for (auto& [filter, subscription] : of_it->second) {
        salvage_.changes.emplace_back(std::move(subscription));
      }
      subscriptions_.erase(of_it);
    }
    std::size_t left = 0;
    for (const auto& [queue, subscriptions] : subscriptions_) left += subscriptions.size();
    if (left > 0) {
      salvage_.lost.push_back(
          fmt::format("{} subscriptions of {} queues: their subscribers cannot be read", left,
                      subscriptions_.size()));
    }
    for (auto& [topic, declaration] : declarations_) {
      salvage_.changes.emplace_back(std::move(declaration));
    }
  }

  sqlite3* database_;
  const Calendar& calendar_;
  Salvage salvage_;
  std::map<core::QueueId, core::KeepSubscriber> subscribers_;
  std::map<core::QueueId, std::map<std::string, core::KeepSubscription>> subscriptions_;
  std::map<std::string, core::KeepDeclaration> declarations_;
};

}  // namespace

Salvage salvage(const SqliteVfs& vfs, const Calendar& calendar) {
  auto database = open_as_it_is(vfs);
  if (database) return Rescue(database->get(), calendar).run();
  Salvage nothing;
  nothing.lost.push_back(database.error());
  return nothing;
}

}  // namespace hermod::store
