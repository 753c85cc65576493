// SPDX-License-Identifier: Apache-2.0
#include "store_life.hpp"

#include <cerrno>
#include <charconv>

#include "hermod/base/hash.hpp"

namespace hermod::store {
namespace {

std::string client_name(std::size_t number) {
  return fmt::format("client-{}", number);
}

// Says which publication it is, in octets that nobody else would write.
std::string payload_of(std::uint64_t number) {
  const std::string filler(number % 7 == 0 ? 1'500 : number % 90, 'x');
  return fmt::format("{}:{:016x}:{}", number, keyed_hash(std::to_string(number), 99), filler);
}

// Nothing when it is not what was published.
std::optional<std::uint64_t> number_in(std::string_view payload) {
  std::uint64_t number = 0;
  const auto read = std::from_chars(payload.data(), payload.data() + payload.size(), number);
  if (read.ec != std::errc{} || payload != payload_of(number)) return std::nullopt;
  return number;
}

}  // namespace

StoreLife::StoreLife(std::uint64_t seed, const Options& options)
    : rng_(seed), options_(options), disk_(seed + 1), keys_(seed + 2) {
  limits_.queue_messages_max = 1'000'000;
}

StoreLife::~StoreLife() {
  core_.reset();
  journal_.reset();
  store_.reset();
}

void StoreLife::boot() {
  auto opened =
      Store::open(disk_, keys_, *this,
                  {.segment_octets_max = options_.segment_octets, .clean_every = Duration::zero()});
  ASSERT_TRUE(opened) << opened.error();
  store_ = std::move(*opened);
  auto state = store_->recover();
  ASSERT_TRUE(state) << state.error();
  counts.recovered += state->messages;
  journal_ = store_->make_journal([] {});
  core_ = std::make_unique<core::Core>(core::Core::Place{.hash_key = 1}, limits_, *journal_, *this);
  for (RecoveredQueue& queue : state->queues) {
    const core::SubscriberIndex index = core_->restore({.name = queue.subscriber.name,
                                                        .kept_as = queue.subscriber.queue,
                                                        .expiry_s = queue.subscriber.expiry_s,
                                                        .queue = std::move(queue.queue),
                                                        .inflight = std::move(queue.inflight),
                                                        .exchanges = std::move(queue.exchanges)});
    for (const core::KeepSubscription& subscription : queue.subscriptions) {
      core_->restore_subscription(index, subscription.filter, subscription.options);
    }
  }
  for (const RecoveredValue& value : state->values) core_->restore(*value.message, value.position);
  check();
}

void StoreLife::live(std::uint64_t steps) {
  if (options_.power_in_the_middle && below(2) == 0) disk_.stop_after(below(steps));
  if (options_.fills_up && below(2) == 0) disk_.set_capacity(disk_.used() + below(30'000));
  const std::uint64_t sync_fails_at = options_.sync_fails ? below(steps) : steps;
  for (std::uint64_t i = 0; i < steps && !disk_.stopped() && !failed(); ++i) {
    if (i == sync_fails_at) disk_.fail_syncs(EIO);
    step();
    if (options_.fills_up && below(60) == 0) disk_.set_capacity(UINT64_MAX);
  }
  if (!failed() && !disk_.stopped() && below(4) == 0) turn();
}

void StoreLife::end() {
  counts.removed += store_->counters().removed;
  counts.evacuated += store_->counters().evacuated;
  counts.sealed += store_->state() == core::Journal::State::kSealed ? 1 : 0;
  disk_.fail_syncs(0, 0);
  core_.reset();
  journal_.reset();
  store_.reset();
  disk_.set_capacity(UINT64_MAX);
  if (below(3) == 0 && !disk_.stopped()) {
    disk_.kill();
  } else {
    disk_.power_cut();
  }
}

void StoreLife::damage() {
  const auto names = disk_.list();
  ASSERT_TRUE(names);
  std::vector<std::string> logs;
  for (const std::string& name : *names) {
    if (name.starts_with("log-") && !disk_.octets_of(name).empty()) logs.push_back(name);
  }
  if (logs.empty()) return;
  damaged_ = true;
  const std::string& name = logs[below(logs.size())];
  const std::size_t size = disk_.octets_of(name).size();
  if (below(4) == 0) {
    disk_.cut_file(name, below(size));
    return;
  }
  for (std::uint64_t flips = 1 + below(4); flips > 0; --flips) {
    const auto octet = below(size);
    disk_.flip_bit(name, octet, static_cast<unsigned>(below(8)));
  }
}

// --- what the clients do ---

void StoreLife::step() {
  const std::size_t number = below(kClients);
  const std::uint64_t what = below(100);
  if (what < 45) {
    publish();
  } else if (what < 75) {
    acknowledge(number);
  } else if (what < 80) {
    clients_[number].attached ? detach(number) : attach(number);
  } else {
    turn();
  }
}

void StoreLife::attach(std::size_t number) {
  Client& client = clients_[number];
  client.taken.clear();  // comes again
  const core::Core::Attached attached =
      core_->attach(client_name(number), number + 1, false, 3'600, {}, now_);
  ASSERT_EQ(attached.reason, model::Reason::kOk);
  client.index = attached.subscriber;
  client.attached = true;
  if (!attached.session_present || !client.subscribed) {
    const std::string filter = number == 0 ? "#" : fmt::format("t/{}", number % kTopics);
    const auto guarantee =
        number % 2 == 0 ? model::Guarantee::kExactlyOnce : model::Guarantee::kAtLeastOnce;
    ASSERT_EQ(core_->subscribe(client.index, filter, {.guarantee_max = guarantee}).reason,
              model::Reason::kOk);
    client.commit = core_->last_commit();
  }
  core_->credit(client.index, static_cast<std::uint32_t>(1 + below(8)));
}

void StoreLife::detach(std::size_t number) {
  Client& client = clients_[number];
  client.attached = false;
  core_->detach(client.index, {}, true, now_);
}

void StoreLife::publish() {
  const std::uint64_t number = publications_.size();
  Publication& publication = publications_.emplace_back();
  publication.topic = fmt::format("t/{}", below(kTopics));
  publication.guarantee = static_cast<model::Guarantee>(1 + below(2));
  const bool clears = below(12) == 0;
  const std::string payload = clears ? std::string{} : payload_of(number);
  model::Message message{.destination = model::Destination::topic(publication.topic),
                         .payload = as_bytes(payload),
                         .guarantee = publication.guarantee,
                         .retain = clears || below(4) == 0};
  (void)core_->take_commit();
  const model::Reason reason = core_->publish(message, now_);
  core_->flush();
  publication.commit = core_->take_commit();
  if (reason == model::Reason::kNoRoom || reason == model::Reason::kUnavailable) {
    ++counts.refused;
    publication.commit = 0;
    return;
  }
  if (message.retain) values_[publication.topic].push_back(number);
  if (clears) return;  // nobody could tell it from another
  for (std::size_t i = 0; i < kClients; ++i) {
    if (clients_[i].index == core::Subscribers::kNone) continue;
    if (i == 0 || publication.topic == fmt::format("t/{}", i % kTopics)) {
      publication.clients.insert(i);
    }
  }
}

void StoreLife::deliver(core::ConnectionKey connection, const model::DeliveryBatch& batch) {
  Client& client = clients_[connection - 1];
  for (std::size_t i = 0; i < batch.items.size(); ++i) {
    const model::Delivery& delivery = batch.items[i];
    if (delivery.message->payload.empty()) {
      client.taken.push_back({batch.first_tag + i, UINT64_MAX, false});
      continue;
    }
    const auto number = number_in(as_text(delivery.message->payload));
    ASSERT_TRUE(number) << as_text(delivery.message->payload);
    ASSERT_FALSE(client.over.contains(*number)) << *number << " again";
    client.taken.push_back(
        {batch.first_tag + i, *number, delivery.guarantee == model::Guarantee::kExactlyOnce});
  }
}

void StoreLife::acknowledge(std::size_t number) {
  Client& client = clients_[number];
  if (!client.attached) return;
  if (!client.released.empty() && below(2) == 0) {
    const Delivery over = client.released.front();
    client.released.erase(client.released.begin());
    client.settled.insert(over.number);
    core_->settle(client.index, over.tag, over.tag, model::Outcome::kAccept, 1);
    return;
  }
  if (client.taken.empty()) return;
  const std::size_t which = below(4) == 0 ? below(client.taken.size()) : 0;
  const Delivery delivery = client.taken[which];
  client.taken.erase(client.taken.begin() + static_cast<std::ptrdiff_t>(which));
  if (delivery.exactly_once) {
    core_->release(client.index, delivery.tag);
    client.releasing.emplace_back(core_->last_commit(), delivery.number);
    client.released.push_back(delivery);
    return;
  }
  client.settled.insert(delivery.number);
  core_->settle(client.index, delivery.tag, delivery.tag, model::Outcome::kAccept, 1);
}

void StoreLife::turn() {
  core_->keep_house();
  journal_->submit(true, journal_->committed());
  const bool sealed = store_->state() == core::Journal::State::kSealed;
  const core::CommitNumber before = store_->committed();
  if (below(8) != 0) (void)store_->write_once();
  // For good: nothing that came after a lost write is ever called safe.
  ASSERT_TRUE(!sealed || store_->committed() == before);
  if (store_->state() == core::Journal::State::kFull) ++counts.full;
  core_->hear_journal();
  note_commits();
}

void StoreLife::note_commits() {
  const core::CommitNumber committed = journal_->committed();
  for (Publication& publication : publications_) {
    if (publication.promised || publication.commit == 0 || publication.commit > committed) continue;
    publication.promised = true;
    ++counts.promised;
  }
  for (Client& client : clients_) {
    if (client.commit != 0 && client.commit <= committed) client.subscribed = true;
    std::erase_if(client.releasing, [&](const auto& releasing) {
      if (releasing.first > committed) return false;
      client.over.insert(releasing.second);
      return true;
    });
  }
}

// --- what must be there ---

void StoreLife::check() {
  for (std::size_t i = 0; i < kClients && !failed(); ++i) check_client(i);
  if (!failed()) check_values();
  for (Publication& publication : publications_) publication.commit = 0;
  counts.damaged += damaged_ ? 1 : 0;
  damaged_ = false;
}

void StoreLife::check_client(std::size_t number) {
  Client& client = clients_[number];
  client.index = core_->find(client_name(number));
  ASSERT_TRUE(client.index != core::Subscribers::kNone || !client.subscribed) << number;
  client.attached = false;
  client.taken.clear();
  client.released.clear();
  client.releasing.clear();
  client.commit = 0;
  std::set<std::uint64_t> there;
  if (client.index != core::Subscribers::kNone) {
    client.subscribed = !core_->subscriber(client.index).subscriptions.empty();
    std::uint64_t last = 0;
    core_->subscriber(client.index).queue.for_each([&](model::Tag tag, core::Queue::Entry& entry) {
      const auto message = journal_->read(entry.message.position());
      ASSERT_TRUE(message && *message);
      if ((*message)->payload.empty()) return;
      const auto found = number_in(as_text((*message)->payload));
      ASSERT_TRUE(found) << as_text((*message)->payload);
      ASSERT_LT(*found, publications_.size());
      const Publication& publication = publications_[*found];
      ASSERT_EQ((*message)->destination.address, publication.topic);
      ASSERT_TRUE(publication.clients.contains(number));
      ASSERT_TRUE(there.empty() || *found > last) << *found << " behind " << last;
      last = *found;
      there.insert(*found);
      if (entry.marks.released) {
        client.released.push_back({tag, *found, true});
      } else {
        // Unless the record that said so was hit.
        ASSERT_TRUE(client.over.erase(*found) == 0 || damaged_) << *found << " again";
      }
    });
  }
  for (std::uint64_t n = 0; n < publications_.size() && !failed(); ++n) {
    Publication& publication = publications_[n];
    if (!publication.clients.contains(number)) continue;
    if (there.contains(n)) {
      counts.repeated += client.settled.erase(n);
      continue;
    }
    const bool done = client.settled.contains(n) || client.over.contains(n);
    ASSERT_TRUE(done || damaged_ || !publication.promised)
        << "publication " << n << " is lost for " << number;
    publication.clients.erase(number);  // it will not come any more
    client.over.insert(n);
  }
}

void StoreLife::check_values() {
  for (auto& [topic, numbers] : values_) {
    std::size_t least = 0;  // the first that it may be: the last that was promised
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (publications_[numbers[i]].promised) least = i;
    }
    const model::Message* const value = core_->retained().find(topic, now_);
    std::size_t at = least;
    if (value != nullptr) {
      const auto number = number_in(as_text(value->payload));
      ASSERT_TRUE(number) << as_text(value->payload);
      const auto found = std::ranges::find(numbers, *number);
      ASSERT_NE(found, numbers.end());
      at = static_cast<std::size_t>(found - numbers.begin());
      ASSERT_TRUE(damaged_ || at >= least) << topic << " is " << *number;
    }
    if (at + 1 < numbers.size()) numbers.resize(at + 1);
  }
}

}  // namespace hermod::store
