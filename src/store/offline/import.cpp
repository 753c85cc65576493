// SPDX-License-Identifier: Apache-2.0
// `hermod store import`: a store out of the text of an export. The log is written first. The
// metadata is made in memory and put beside it at the end, by one rename: until then a broker
// refuses the directory, as a log without metadata is no store.
#include <fmt/format.h>

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <set>
#include <system_error>
#include <utility>

#include "hermod/core/queue.hpp"
#include "hermod/store/metadata.hpp"
#include "hermod/store/offline.hpp"
#include "message_log.hpp"
#include "message_record.hpp"
#include "offline/memory_disk.hpp"
#include "offline/metadata_copy.hpp"
#include "offline/store_text.hpp"
#include "settlement_records.hpp"
#include "state_record.hpp"

namespace hermod::store {
namespace {

using Done = std::expected<void, std::string>;
using Wrong = std::unexpected<std::string>;

constexpr std::string_view kUnfinished = "metadata.import";
constexpr std::size_t kChangesMax = 1'000;
constexpr std::uint64_t kBufferOctets = 8u << 20;
// Tags of a queue that have no message, between those that have.
constexpr std::uint64_t kHolesMax = 1u << 20;

std::string text_of(int error) {
  return std::generic_category().message(error);
}

// The log and the metadata that are made.
class NewStore {
 public:
  explicit NewStore(Disk& disk) : disk_(disk), beside_(kMetadataOctetsMax) {}

  Done open(Rng& rng) {
    auto log = MessageLog::open(disk_, rng, {.buffer_octets_max = kBufferOctets});
    if (!log) return Wrong(log.error());
    log_ = std::move(*log);
    auto metadata = Metadata::open(beside_, {.rng = rng});
    if (!metadata) return Wrong(metadata.error());
    metadata_ = std::move(*metadata);
    (void)log_->belong_to(metadata_->key());
    if (const auto recovered = log_->recover([](const RecordView&) {}); !recovered) {
      return Wrong(recovered.error());
    }
    return {};
  }

  Done keep(const Anchor& anchor) { return done(metadata_->keep_anchor(anchor)); }
  Done keep(core::Change change) {
    changes_.push_back(std::move(change));
    return changes_.size() < kChangesMax ? Done{} : keep_changes();
  }
  Done append(std::span<const Draft> drafts) {
    positions_.resize(drafts.size());
    (void)log_->append(drafts, positions_);
    return log_->has_room() ? Done{} : write(false);
  }
  [[nodiscard]] Checkpoint checkpoint() const {
    return {.shard = 0, .boot = metadata_->boot(), .segment = log_->current()};
  }

  // All is there: it becomes a store.
  Done finish() {
    if (Done kept = keep_changes(); !kept) return kept;
    if (Done written = write(true); !written) return written;
    metadata_.reset();
    if (beside_.holds(std::string(Metadata::kFileName) + "-wal")) {
      return Wrong("the metadata could not be closed: there is too little memory for it");
    }
    const Bytes octets = beside_.octets_of(Metadata::kFileName);
    const auto file = disk_.open(kUnfinished, Disk::Mode::kCreate);
    int error = file ? (*file)->write(0, {&octets, 1}) : file.error();
    if (error == 0) error = (*file)->sync();
    if (error == 0) error = disk_.rename(kUnfinished, Metadata::kFileName);
    if (error == 0) error = disk_.sync_directory();
    return error == 0 ? Done{}
                      : Wrong(fmt::format("the metadata cannot be written: {}", text_of(error)));
  }

 private:
  Done done(Metadata::Outcome outcome) const {
    return outcome == Metadata::Outcome::kOk ? Done{} : Wrong(metadata_->why());
  }
  Done keep_changes() {
    Done kept = done(metadata_->apply(changes_, at_rest_calendar()));
    changes_.clear();
    return kept;
  }
  Done write(bool sync) {
    if (log_->take_batch() && log_->write_batch(sync) != WriteResult::kDone) return failed();
    return sync && log_->sync() != WriteResult::kDone ? failed() : Done{};
  }
  Done failed() const {
    return Wrong(fmt::format("the log cannot be written: {}", text_of(log_->write_error())));
  }

  Disk& disk_;
  MemoryDisk beside_;
  std::unique_ptr<MessageLog> log_;
  std::unique_ptr<Metadata> metadata_;
  std::vector<core::Change> changes_;
  std::vector<Position> positions_;
};

// Line by line; what one says must fit to those before it.
class Import {
 public:
  explicit Import(NewStore& store) : store_(store) {}

  Done run(LineReader& lines) {
    while (true) {
      const auto line = lines.next();
      if (!line) return Wrong(line.error());
      if (!*line) break;
      const auto wrong = [&](std::string_view why) {
        return Wrong(fmt::format("line {}: {}", lines.number(), why));
      };
      if (ended_) return wrong("there is something behind the end of the export");
      auto read = text_.read(**line);
      if (!read) return wrong(read.error());
      if (lines.number() == 1 && !std::holds_alternative<ExportBegin>(*read)) {
        return wrong("this is no export of a store: it does not begin as one");
      }
      line_ = lines.number();
      const Done taken = std::visit([this](auto& is) { return take(is); }, *read);
      if (!taken) return wrong(taken.error());
    }
    if (ended_) return check_tags();
    return Wrong(
        fmt::format("the export is cut short: it has {} lines, and none says that it is "
                    "the end",
                    lines.number()));
  }

  ImportReport report;

 private:
  struct Queue {
    bool told = false;    // by a line of its own
    model::Tag next = 1;  // as that says
    boost::unordered_flat_set<model::Tag> tags;
    boost::unordered_flat_set<model::Tag> released;  // what they leave when divided by the ids
  };

  [[nodiscard]] Queue* find(core::QueueId queue) {
    const auto found = queues_.find(queue);
    return found == queues_.end() ? nullptr : &found->second;
  }
  // A start of the broker must have the memory for them.
  [[nodiscard]] Done check_tags() const {
    for (const auto& [id, queue] : queues_) {
      if (holes_of(queue) <= kHolesMax) continue;
      return Wrong(
          fmt::format("the tags of queue {} are too far apart: more than {} between them "
                      "have no message",
                      id, kHolesMax));
    }
    return {};
  }
  // Settled entries that core::Queue::restore() puts between those that wait: for one gap none.
  static std::uint64_t holes_of(const Queue& queue) {
    std::vector<model::Tag> tags(queue.tags.begin(), queue.tags.end());
    if (tags.empty()) return 0;
    std::ranges::sort(tags);
    if (queue.next > tags.back()) tags.push_back(queue.next);
    std::uint64_t holes = 0;
    bool gap = false;
    for (std::size_t i = 1; i < tags.size(); ++i) {
      const std::uint64_t between = tags[i] - tags[i - 1] - 1;
      if (between >= core::Queue::kHolesMax && !gap) {
        gap = true;
      } else {
        holes += between;
      }
    }
    return holes;
  }

  static Wrong no_subscriber(core::QueueId queue) {
    return Wrong(fmt::format("no subscriber before it has queue {}", queue));
  }

  Done take(const ExportBegin& is) {
    if (line_ != 1) return Wrong("an export begins once");
    if (is.format == ExportBegin::kFormat) return {};
    return Wrong(
        fmt::format("the export has format {}, and this release reads format {}: use the "
                    "release that wrote it, or a later one",
                    is.format, ExportBegin::kFormat));
  }
  Done take(const Anchor& is) {
    if (std::exchange(anchored_, true)) return Wrong("there is one anchor only");
    return store_.keep(is);
  }

  Done take(core::Change& is) {
    if (const auto* subscriber = std::get_if<core::KeepSubscriber>(&is)) {
      if (!queues_.try_emplace(subscriber->queue).second) {
        return Wrong(fmt::format("queue {} has a subscriber already", subscriber->queue));
      }
      if (!names_.emplace(subscriber->group, subscriber->name).second) {
        return Wrong("there is a subscriber of this name already");
      }
      ++report.subscribers;
    } else if (const auto* subscription = std::get_if<core::KeepSubscription>(&is)) {
      if (find(subscription->queue) == nullptr) return no_subscriber(subscription->queue);
    } else {
      ++report.declarations;
    }
    return store_.keep(std::move(is));
  }

  Done take(ExportedQueue& is) {
    Queue* const queue = find(is.queue);
    if (queue == nullptr) return no_subscriber(is.queue);
    if (std::exchange(queue->told, true)) return Wrong("there is a line of this queue already");
    queue->next = is.next;
    boost::unordered_flat_set<std::uint16_t> packet_ids;
    for (core::OpenExchange& open : is.exchanges) {
      if (!packet_ids.insert(open.packet_id).second) {
        return Wrong(fmt::format("packet id {} is open twice", open.packet_id));
      }
      // Numbers of queues that have ended may be given out again.
      std::erase_if(open.queues, [this](core::QueueId one) { return find(one) == nullptr; });
    }
    StateWriter state;
    state.begin(store_.checkpoint());
    // Nothing is settled: what was is not in this log.
    state.add(
        {.queue = is.queue, .floor = 1, .next = is.next, .exchanges = std::move(is.exchanges)});
    const Draft draft = state.draft(true);
    return store_.append({&draft, 1});
  }

  Done take(ExportedMessage& is) {
    std::vector<core::Recipient> recipients;
    std::vector<Released> released;
    for (const ExportedRecipient& to : is.recipients) {
      Queue* const queue = find(to.queue);
      if (queue == nullptr) {
        ++report.orphans;
        continue;
      }
      if (!queue->tags.insert(to.tag).second) {
        return Wrong(fmt::format("queue {} has a message of tag {} already", to.queue, to.tag));
      }
      if (to.released) {
        if (!queue->released.insert(to.tag % UINT16_MAX).second) {
          return Wrong(
              fmt::format("queue {} has released a message of this packet id already", to.queue));
        }
        released.push_back({to.queue, to.tag});
      }
      recipients.push_back({.queue = to.queue,
                            .tag = to.tag,
                            .count = 1,
                            .guarantee = to.guarantee,
                            .retain_as_published = to.retain_as_published,
                            .subscription_ids = to.subscription_ids});
      ++report.messages;
    }
    if (recipients.empty()) return {};
    model::Message message = *is.message;
    message.origin.exchange = 0;  // the lines of queues tell of it
    if (Done appended = append(message, recipients); !appended || released.empty()) {
      return appended;
    }
    scratch_.clear();
    const Draft draft = draft_released(released, scratch_);
    return store_.append({&draft, 1});
  }

  Done take(const ExportedValue& is) {
    if (!topics_.emplace(is.message->destination.address).second) {
      return Wrong("this topic has a value already");
    }
    ++report.values;
    const Draft draft = encoder_.encode_value(*is.message, Duration{});
    return store_.append({&draft, 1});
  }

  Done take(const ExportEnd& is) {
    ended_ = true;
    report.complete = is.complete;
    if (is.lines == line_ - 1) return {};
    return Wrong(
        fmt::format("there were {} lines before this one when it was written, and now "
                    "there are {}",
                    is.lines, line_ - 1));
  }

  Done append(const model::Message& message, std::span<const core::Recipient> recipients) {
    const model::Message* const messages[] = {&message};
    return store_.append(
        encoder_.encode({.messages = messages, .recipients = recipients}, Duration{}));
  }

  NewStore& store_;
  StoreText text_;
  RunEncoder encoder_;
  Scratch scratch_;
  std::uint64_t line_ = 0;
  bool anchored_ = false;
  bool ended_ = false;
  boost::unordered_flat_map<core::QueueId, Queue> queues_;
  std::set<std::pair<bool, std::string>> names_;
  boost::unordered_flat_set<std::string> topics_;
};

Done make(Disk& disk, Rng& rng, LineReader& text, ImportReport& report) {
  NewStore store(disk);
  if (Done opened = store.open(rng); !opened) return opened;
  Import import(store);
  if (Done done = import.run(text); !done) return done;
  report = import.report;
  return store.finish();
}

// As it was before: without files.
void undo(Disk& disk) {
  const auto names = disk.list();
  if (!names) return;
  for (const std::string& name : *names) (void)disk.remove(name);
  (void)disk.sync_directory();
}

}  // namespace

std::expected<ImportReport, std::string> import_store(Disk& disk, Rng& rng, LineReader& text) {
  const auto names = disk.list();
  if (!names) return Wrong(fmt::format("the directory cannot be read: {}", text_of(names.error())));
  if (!names->empty()) {
    return Wrong(
        fmt::format("the directory is not empty: it holds {}. A store is imported into a "
                    "new or empty one",
                    names->front()));
  }
  ImportReport report;
  if (Done done = make(disk, rng, text, report); !done) {
    undo(disk);
    return Wrong(done.error());
  }
  return report;
}

}  // namespace hermod::store
