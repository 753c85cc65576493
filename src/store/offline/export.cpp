// SPDX-License-Identifier: Apache-2.0
// `hermod store export`: all that can be read, as text. docs/formats/export.md.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "hermod/store/offline.hpp"
#include "offline/store_text.hpp"
#include "offline/survey.hpp"

namespace hermod::store {
namespace {

class Export {
 public:
  Export(Survey survey, Disk& disk, const LineSink& sink)
      : survey_(std::move(survey)), disk_(disk), sink_(sink) {}

  ExportReport run() {
    tell_lost();
    put(StoreText::write(ExportBegin{}));
    if (survey_.metadata.anchor) put(StoreText::write(*survey_.metadata.anchor));
    write_metadata();
    write_queues();
    write_values();
    write_messages();
    put(StoreText::write(ExportEnd{.lines = report_.lines, .complete = report_.lost.empty()}));
    return std::move(report_);
  }

 private:
  // Where a message waits.
  struct Waiting {
    Position position = 0;
    ExportedRecipient recipient;
  };

  void put(std::string_view line) {
    if (report_.cut_short) return;
    ++report_.lines;
    report_.cut_short = !sink_(line);
  }
  void lose(std::string what) { report_.lost.push_back(std::move(what)); }

  void tell_lost() {
    const MetadataFindings& metadata = survey_.metadata;
    if (!metadata.there) {
      lose("there is no metadata: sessions and declared topics are lost");
    } else if (!metadata.whole()) {
      lose("the metadata is damaged: what of it can be read is exported");
      for (const std::string& lost : metadata.lost) lose(lost);
    } else if (survey_.metadata_is_older()) {
      lose(
          fmt::format("the metadata is older than the log: it is at generation {}, and the log "
                      "knows of {}. What was changed in between is lost",
                      metadata.generation, survey_.census.generation()));
    }
    for (const std::string& unread : survey_.log.unread) lose(unread);
    for (const Damage& damage : survey_.log.damage) {
      lose(fmt::format("{} octets at octet {} of segment {} are damaged", damage.octets,
                       offset_of(damage.position), segment_of(damage.position)));
    }
    if (survey_.log.damaged > survey_.log.damage.size()) {
      lose(fmt::format("{} more places of the log are damaged",
                       survey_.log.damaged - survey_.log.damage.size()));
    }
    if (const std::size_t strange = survey_.census.not_understood().size(); strange > 0) {
      lose(fmt::format("{} records of the log cannot be understood", strange));
    }
  }

  void write_metadata() {
    for (const RecoveredQueue& queue : survey_.state.queues) {
      if (survey_.orphans.contains(queue.subscriber.queue)) continue;
      put(text_.write(queue.subscriber));
      for (const core::KeepSubscription& each : queue.subscriptions) put(text_.write(each));
    }
    for (const core::KeepDeclaration& each : survey_.state.declarations) put(text_.write(each));
  }

  void write_queues() {
    std::uint64_t orphaned = 0;
    for (RecoveredQueue& queue : survey_.state.queues) {
      const core::QueueId id = queue.subscriber.queue;
      const bool orphan = survey_.orphans.contains(id);
      if (!orphan && (queue.queue.next_tag() > 1 || !queue.exchanges.empty())) {
        put(StoreText::write(ExportedQueue{.queue = id,
                                           .next = std::max<model::Tag>(queue.queue.next_tag(), 1),
                                           .exchanges = queue.exchanges}));
      }
      queue.queue.for_each([&](model::Tag tag, core::Queue::Entry& entry) {
        const auto ids = entry.subscription_ids();
        waiting_.push_back({.position = entry.message.position(),
                            .recipient = {.queue = id,
                                          .tag = tag,
                                          .guarantee = entry.marks.guarantee,
                                          .retain_as_published = entry.marks.retain,
                                          .released = entry.marks.released,
                                          .subscription_ids = {ids.begin(), ids.end()}}});
        orphaned += orphan ? 1 : 0;
      });
    }
    if (orphaned > 0) {
      lose(
          fmt::format("{} messages wait in {} queues whose subscribers are lost: they are "
                      "exported, and an import leaves them out",
                      orphaned, survey_.orphans.size()));
    }
  }

  void write_values() {
    std::ranges::sort(survey_.state.values, {}, [](const RecoveredValue& value) {
      return value.message->destination.address;
    });
    for (const RecoveredValue& value : survey_.state.values) {
      put(StoreText::write_value(*value.message));
    }
  }

  // In the order of the log, each once for all queues where it waits.
  void write_messages() {
    std::ranges::sort(waiting_, {}, [](const Waiting& one) {
      return std::pair{one.position, one.recipient.queue};
    });
    auto log = LogSurvey::open(disk_);
    if (!log) return lose(log.error());
    next_ = waiting_.begin();
    (void)log->read([this](const RecordView& record) { write_message(record); });
    if (next_ != waiting_.end()) {
      lose(fmt::format("{} messages could not be read a second time", waiting_.end() - next_));
    }
  }

  void write_message(const RecordView& record) {
    if (next_ == waiting_.end() || next_->position != record.position) return;
    recipients_.clear();
    for (; next_ != waiting_.end() && next_->position == record.position; ++next_) {
      recipients_.push_back(std::move(next_->recipient));
    }
    const auto message = decode_message(record);
    if (!message) return;  // told as one that cannot be understood
    const auto content = decode_content(message->content, Duration{}, properties_);
    if (content) put(StoreText::write(recipients_, *content));
  }

  Survey survey_;
  Disk& disk_;
  const LineSink& sink_;
  StoreText text_;
  ExportReport report_;
  std::vector<Waiting> waiting_;
  std::vector<Waiting>::iterator next_;
  std::vector<ExportedRecipient> recipients_;
  PropertyStorage properties_;
};

}  // namespace

std::expected<ExportReport, std::string> export_store(Disk& disk, const std::string& folder,
                                                      const LineSink& sink) {
  auto found = survey(disk, folder);
  if (!found) return std::unexpected(found.error());
  return Export(std::move(*found), disk, sink).run();
}

}  // namespace hermod::store
