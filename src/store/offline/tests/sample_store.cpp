// SPDX-License-Identifier: Apache-2.0
#include "offline/tests/sample_store.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "hermod/store/metadata.hpp"
#include "hermod/store/metadata_text.hpp"
#include "log_reader.hpp"
#include "message_log.hpp"
#include "metadata/tests/describe.hpp"
#include "offline/metadata_copy.hpp"
#include "recovery.hpp"
#include "tests/record_samples.hpp"

namespace hermod::store {

SampleStore::SampleStore(testkit::FaultyDisk& disk, std::uint64_t seed)
    : rng_(seed), keys_(seed + 1), samples_(seed * 1'000) {
  auto store = Store::open(disk, keys_, log_,
                           {.segment_octets_max = 20'000, .clean_every = std::chrono::hours{1}});
  if (!store) throw std::runtime_error(store.error());
  store_ = std::move(*store);
  if (const auto state = store_->recover(); !state) throw std::runtime_error(state.error());
  journal_ = store_->make_journal([] {});
}

SampleStore::~SampleStore() {
  journal_.reset();
  store_.reset();
}

void SampleStore::live(std::uint64_t steps) {
  for (int i = 0; i < 3; ++i) begin_subscriber();
  for (; steps > 0; --steps) {
    const std::uint64_t what = below(100);
    if (what < 40) {
      publish();
    } else if (what < 64) {
      settle();
    } else if (what < 70) {
      move();
    } else if (what < 78) {
      close();
    } else if (what < 84) {
      retain();
    } else if (what < 88) {
      begin_subscriber();
    } else if (what < 90) {
      end_subscriber();
    } else if (what < 92) {
      declare();
    } else {
      write();
    }
  }
  write();
}

const SampleStore::Counts& SampleStore::counts() {
  counts_.complete_exchanges = counts_.cut_off_exchanges = counts_.released = counts_.waiting = 0;
  for (const auto& [id, queue] : queues_) {
    for (const auto& [packet_id, open] : queue.exchanges) {
      ++(open.complete ? counts_.complete_exchanges : counts_.cut_off_exchanges);
    }
    counts_.released += queue.released.size();
    counts_.waiting += queue.live.size();
  }
  return counts_;
}

void SampleStore::begin_subscriber() {
  const core::QueueId queue = journal_->new_queue();
  core::KeepSubscriber subscriber{.queue = queue,
                                  .name = fmt::format("{}-\xc3\xa4-{}", below(3), queue),
                                  .group = below(4) == 0,
                                  .expiry_s = static_cast<std::uint32_t>(rng_.next()),
                                  .away = below(2) == 0,
                                  .listener = "0.0.0.0:1883"};
  if (below(2) == 0) subscriber.expires_at = Instant{std::chrono::milliseconds{below(1u << 30)}};
  if (below(2) == 0) subscriber.user = "anna\xff";
  const samples::MessageSample will(++samples_);
  if (below(2) == 0) {
    subscriber.will = core::KeptWill{.message = will.message().own(), .delay_s = 7};
    if (below(2) == 0) subscriber.will->expiry_s = 9;
  }
  (void)journal_->change(std::move(subscriber));
  for (std::uint64_t i = below(3); i > 0; --i) {
    (void)journal_->change(core::KeepSubscription{
        .queue = queue,
        .filter = fmt::format("a/{}/#", i),
        .options = {.guarantee_max = static_cast<model::Guarantee>(below(3)),
                    .no_local = below(2) == 0,
                    .subscription_id = static_cast<std::uint32_t>(below(1u << 28))}});
  }
  queues_[queue];
  write();
}

void SampleStore::end_subscriber() {
  if (queues_.size() < 3) return;
  const core::QueueId queue = any().first;
  (void)journal_->change(core::ForgetSubscriber{.queue = queue});
  queues_.erase(queue);
  ++counts_.ended;
}

std::pair<const core::QueueId, SampleStore::Queue>& SampleStore::any() {
  auto at = queues_.begin();
  std::advance(at, below(queues_.size()));
  return *at;
}

void SampleStore::publish() {
  const samples::MessageSample sample(++samples_);
  model::Message message = sample.message();
  auto& [publisher, books] = any();
  core::OpenExchange* open = nullptr;
  if (below(3) == 0) {
    const auto packet_id = static_cast<std::uint16_t>(1 + below(200));
    if (!books.exchanges.contains(packet_id)) {
      open = &books.exchanges[packet_id];
      open->packet_id = packet_id;
      message.origin.exchange = core::exchange_of(publisher, packet_id);
    }
  }
  const model::Message* const messages[] = {&message};
  std::vector<core::Recipient> recipients;
  const std::vector<std::uint32_t> ids{1, 70'000, UINT32_MAX};
  for (auto& [id, queue] : queues_) {
    if (below(3) != 0) continue;
    const auto guarantee = static_cast<model::Guarantee>(below(3));
    queue.live[queue.next] = guarantee;
    recipients.push_back({.queue = id,
                          .tag = queue.next,
                          .count = 1,
                          .guarantee = guarantee,
                          .retain_as_published = below(2) == 0,
                          .subscription_ids = std::span(ids).first(below(4))});
    queue.next += 1 + (below(10) == 0 ? 1 : 0);  // some tag was at most once, and is not kept
    if (open != nullptr) open->queues.push_back(id);
  }
  if (recipients.empty() && message.origin.exchange == 0) return;
  core::Position position = 0;
  (void)journal_->append({.messages = messages, .recipients = recipients}, {&position, 1});
}

// Or released before, as MQTT has it.
void SampleStore::settle() {
  auto& [id, queue] = any();
  if (queue.live.empty()) return;
  auto at = queue.live.begin();
  std::advance(at, below(std::min<std::size_t>(queue.live.size(), 4)));
  const model::Tag tag = at->first;
  if (at->second == model::Guarantee::kExactlyOnce && queue.released.insert(tag).second) {
    (void)journal_->release(id, tag);
    return;
  }
  queue.live.erase(at);
  queue.released.erase(tag);
  journal_->settle(id, tag, tag);
}

// As from a group to its member, with one record.
void SampleStore::move() {
  auto& [from, source] = any();
  auto& [to, target] = any();
  if (from == to || source.live.empty() || source.released.contains(source.live.begin()->first)) {
    return;
  }
  const samples::MessageSample sample(++samples_);
  const model::Message* const messages[] = {&sample.message()};
  const auto [tag, guarantee] = *source.live.begin();
  const core::Recipient recipients[] = {
      {.queue = to, .tag = target.next, .count = 1, .guarantee = guarantee}};
  core::Position position = 0;
  (void)journal_->append(
      {.messages = messages, .recipients = recipients, .moved_from = {.queue = from, .tag = tag}},
      {&position, 1});
  source.live.erase(tag);
  target.live[target.next++] = guarantee;
  ++counts_.moved;
}

void SampleStore::close() {
  auto& [id, queue] = any();
  if (queue.exchanges.empty()) return;
  (void)journal_->close(core::exchange_of(id, queue.exchanges.begin()->first));
  queue.exchanges.erase(queue.exchanges.begin());
}

void SampleStore::retain() {
  const std::string topic = fmt::format("v/{}", below(6));
  const bool clears = below(4) == 0;
  model::Message message{.destination = model::Destination::topic(topic),
                         .payload = as_bytes(clears ? "" : "value"),
                         .retain = true,
                         .version = ++samples_};
  core::Position position = 0;
  (void)journal_->retain(message, position);
  if (clears) {
    topics_.erase(topic);
  } else {
    topics_.insert(topic);
  }
  counts_.values = topics_.size();
}

void SampleStore::declare() {
  const std::string topic = fmt::format("d/{}", below(5));
  core::KeepDeclaration declaration{.topic = topic, .properties = {.content_type = "text/plain"}};
  if (below(2) == 0) declaration.properties.expires_at_s = static_cast<std::int64_t>(rng_.next());
  if (below(2) == 0) declaration.properties.subscribers_max = 5;
  (void)journal_->change(std::move(declaration));
}

void SampleStore::check() {
  if (!journal_->wants_check()) return;
  for (auto& [id, queue] : queues_) {
    core::Standing standing{.queue = id, .next = queue.next};
    standing.floor = queue.live.empty() ? queue.next : queue.live.begin()->first;
    model::Tag before = standing.floor;
    for (const auto& [tag, guarantee] : queue.live) {
      if (tag > before) standing.settled.push_back({before, tag - 1});
      before = tag + 1;
    }
    if (before < queue.next) standing.settled.push_back({before, queue.next - 1});
    standing.released.assign(queue.released.begin(), queue.released.end());
    for (auto& [packet_id, open] : queue.exchanges) {
      if (below(3) == 0) open = {.packet_id = packet_id, .complete = true};
      standing.exchanges.push_back(open);
    }
    journal_->check(standing);
  }
  journal_->end_check(true);
}

void SampleStore::write() {
  check();
  journal_->submit(false, 0);
  while (store_->write_once()) {
  }
}

// --- what a start finds ---

namespace {

std::string text_of(RecoveredQueue& queue, LogReader& reader) {
  std::string text = describe(queue.subscriber) + '\n';
  for (const core::KeepSubscription& each : queue.subscriptions) text += describe(each) + '\n';
  text += fmt::format("next {} outgoing {} incoming {} open", queue.queue.next_tag(),
                      queue.inflight.outgoing(), queue.inflight.incoming());
  for (const core::OpenExchange& open : queue.exchanges) {
    text += fmt::format(" {}{}{}", open.packet_id, open.complete ? "" : " at",
                        queue.inflight.has_incoming(open.packet_id) ? "!" : "");
    for (const core::QueueId at : open.queues) text += fmt::format(" {}", at);
  }
  for (const std::uint16_t id : queue.inflight.released()) text += fmt::format(" released {}", id);
  text += '\n';
  PropertyStorage storage;
  queue.queue.for_each([&](model::Tag tag, core::Queue::Entry& entry) {
    const auto record = reader.read(entry.message.position());
    const auto message = record ? decode_message(*record) : malformed(0, 0, "unread");
    const auto content = message ? decode_content(message->content, Duration{}, storage)
                                 : malformed(0, 0, "strange");
    text += fmt::format("{} guarantee {} retain {} released {} recovered {} ids", tag,
                        std::to_underlying(model::Guarantee{entry.marks.guarantee}),
                        bool{entry.marks.retain}, bool{entry.marks.released},
                        bool{entry.marks.recovered});
    for (const std::uint32_t id : entry.subscription_ids()) text += fmt::format(" {}", id);
    text += fmt::format(": {}\n", content ? describe(*content) : "strange");
  });
  return text;
}

std::string text_of(RecoveredState state, LogReader& reader) {
  std::string text;
  for (RecoveredQueue& queue : state.queues) text += text_of(queue, reader);
  std::vector<std::string> lines;
  for (const RecoveredValue& value : state.values) lines.push_back(describe(*value.message));
  for (const core::KeepDeclaration& each : state.declarations) lines.push_back(describe(each));
  std::ranges::sort(lines);
  for (const std::string& line : lines) text += line + '\n';
  return text;
}

}  // namespace

std::string recovered_text(testkit::FaultyDisk& disk) {
  SeededRng rng(1);
  auto log = MessageLog::open(disk, rng, {});
  auto metadata = Metadata::open(disk, {.rng = rng, .existing = true});
  if (!log || !metadata) return !log ? log.error() : metadata.error();
  Recovery recovery{Duration{}};
  const auto loaded = (*metadata)->load(
      at_rest_calendar(), [&](core::Change&& change) { recovery.add(std::move(change)); });
  const auto read = (*log)->recover([&](const RecordView& record) { recovery.add(record); });
  if (!loaded || !read) return !loaded ? loaded.error() : read.error();
  const auto& anchor = (*metadata)->anchor();
  LogReader reader(**log);
  return (anchor ? MetadataText::write(*anchor) : std::string{"no anchor"}) + '\n' +
         text_of(recovery.finish([](SegmentNumber, std::uint64_t, std::uint64_t) {}), reader);
}

std::string export_text(Disk& disk, ExportReport* report) {
  std::string text;
  auto done = export_store(disk, "/there", [&](std::string_view line) {
    text.append(line).append("\n");
    return true;
  });
  EXPECT_TRUE(done) << done.error();
  if (done && report != nullptr) *report = std::move(*done);
  return text;
}

std::expected<ImportReport, std::string> import_text(Disk& disk, std::string_view text) {
  SeededRng rng(77);
  LineReader lines([&](std::span<char> into) -> std::expected<std::size_t, int> {
    const std::size_t count = std::min<std::size_t>({into.size(), text.size(), 1'000});
    std::memcpy(into.data(), text.data(), count);
    text.remove_prefix(count);
    return count;
  });
  return import_store(disk, rng, lines);
}

}  // namespace hermod::store
