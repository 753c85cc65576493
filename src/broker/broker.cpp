// SPDX-License-Identifier: Apache-2.0
#include "hermod/broker/broker.hpp"

#include <malloc.h>

#include <algorithm>
#include <atomic>

#include "hermod/broker/authorizers.hpp"
#include "hermod/broker/restore.hpp"
#include "hermod/broker/shard.hpp"
#include "hermod/identity/file_authorizer.hpp"
#include "hermod/transport/epoll.hpp"
#include "hermod/transport/tcp.hpp"
#include "hermod/transport/udp.hpp"
#include "hermod/transport/udp_group.hpp"
#include "hermod/transport/unix.hpp"

namespace hermod::broker {

namespace {

constexpr const char* kNotWatched = "the kernel refuses to watch another socket";

// What was asked of malloc() and not given back.
std::uint64_t heap_bytes() {
  const struct mallinfo2 all = mallinfo2();
  return all.uordblks + all.hblkhd;
}

}  // namespace

// A shard with what it is made of, and the thread that turns it.
class Broker::Thread {
 public:
  Thread(const Settings& settings, std::uint16_t self, std::uint64_t hash_key, Log& log,
         std::unique_ptr<transport::EpollPoller> poller, Mailroom& mailroom, Sources& sources,
         identity::HashingPool* pool, store::Store* store)
      : poller_(std::move(poller)) {
    if (store == nullptr) {
      journal_ = std::make_unique<core::NullJournal>();
    } else {
      journal_ = store->make_journal([this] { poller_->wake(); });
    }
    std::vector<core::Authorizer*> authorizers;
    for (const ListenerSettings& listener : settings.listeners) {
      if (listener.directory) {
        authorizers_.push_back(std::make_unique<identity::FileAuthorizer>(
            identity::FileAuthorizer::Parts{.directory = listener.directory,
                                            .pool = pool,
                                            .allow_anonymous = listener.allow_anonymous,
                                            .hash_key = hash_key,
                                            .wake = [this] { poller_->wake(); }}));
      } else {
        authorizers_.push_back(std::make_unique<AnonymousAuthorizer>(listener.allow_anonymous));
      }
      authorizers.push_back(authorizers_.back().get());
    }
    shard_ = std::make_unique<Shard>(ShardParts{.settings = settings,
                                                .self = self,
                                                .hash_key = hash_key,
                                                .clock = clock_,
                                                .rng = rng_,
                                                .log = log,
                                                .journal = *journal_,
                                                .authorizers = std::move(authorizers),
                                                .poller = *poller_,
                                                .mailroom = mailroom,
                                                .sources = sources,
                                                .heap_bytes = heap_bytes});
  }

  [[nodiscard]] Shard& shard() { return *shard_; }
  [[nodiscard]] transport::Poller& poller() { return *poller_; }

  void start() {
    thread_ = std::thread{[this] {
      while (!stopping_.load(std::memory_order_relaxed)) shard_->turn(Duration::max());
      shard_->shut_down();
    }};
  }
  void stop() {
    stopping_.store(true, std::memory_order_relaxed);
    poller_->wake();
  }
  void join() {
    if (thread_.joinable()) thread_.join();
  }

 private:
  SystemClock clock_;
  SystemRng rng_;
  std::unique_ptr<transport::EpollPoller> poller_;  // outlives those who wake it
  std::unique_ptr<core::Journal> journal_;
  std::vector<std::unique_ptr<core::Authorizer>> authorizers_;
  std::unique_ptr<Shard> shard_;
  std::thread thread_;
  std::atomic<bool> stopping_ = false;
};

namespace {

// Binds one address for every shard. With several, or with a group beside it, the kernel lets any
// process of this user join a shared port: a first try without sharing finds out whether somebody
// else has it.
template <typename Bound, typename Bind>
std::expected<std::vector<Bound>, std::string> bind_all(transport::Address address,
                                                        std::uint16_t shards, bool shared,
                                                        Bind&& bind) {
  std::vector<Bound> all;
  if (shared) {
    auto alone = bind(address, false);
    if (!alone) return std::unexpected(alone.error());
  }
  for (std::uint16_t i = 0; i < shards; ++i) {
    auto one = bind(address, shared);
    if (!one) return std::unexpected(one.error());
    address = (*one)->local();  // port 0: the others take what the first was given
    all.push_back(std::move(*one));
  }
  return all;
}

}  // namespace

Broker::Broker(Settings settings) : settings_(std::move(settings)) {
  for (ListenerSettings& listener : settings_.listeners) {
    listener.label =
        fmt::format("{} {}", listener.protocol->name(),
                    listener.path.empty() ? listener.address.to_text() : listener.path);
  }
}

Broker::~Broker() {
  stop();
}

std::expected<std::unique_ptr<Broker>, std::string> Broker::open(Settings settings, Log& log) {
  if (settings.threads < 1 || settings.threads > kShardsMax) {
    return std::unexpected(
        fmt::format("threads must be 1 to {}, not {}", kShardsMax, settings.threads));
  }
  std::unique_ptr<Broker> broker{new Broker(std::move(settings))};
  const std::uint16_t shards = broker->settings_.threads;
  broker->mailroom_ = std::make_unique<Mailroom>(shards);
  if (broker->settings_.needs_pool()) {
    broker->pool_ = std::make_unique<identity::HashingPool>(broker->settings_.logins);
  }
  if (auto opened = broker->open_store(log); !opened) return std::unexpected(opened.error());
  const std::uint64_t hash_key = broker->rng_.next();
  std::vector<transport::Poller*> pollers;
  for (std::uint16_t i = 0; i < shards; ++i) {
    auto poller = transport::EpollPoller::open();
    if (!poller) return std::unexpected(poller.error());
    pollers.push_back(poller->get());
    broker->threads_.push_back(std::make_unique<Thread>(
        broker->settings_, i, hash_key, log, std::move(*poller), *broker->mailroom_,
        broker->sources_, broker->pool_.get(), broker->store_.get()));
  }
  for (auto& thread : broker->threads_) thread->shard().connect(pollers);
  if (auto recovered = broker->recover(log); !recovered) return std::unexpected(recovered.error());
  if (auto bound = broker->bind(); !bound) return std::unexpected(bound.error());
  return broker;
}

std::expected<void, std::string> Broker::open_store(Log& log) {
  if (!settings_.store) return {};
  auto disk = store::PosixDisk::open(settings_.store->folder);
  if (!disk) return std::unexpected(disk.error());
  disk_ = std::move(*disk);
  auto store = store::Store::open(*disk_, rng_, log, *settings_.store);
  if (!store) return std::unexpected(store.error());
  store_ = std::move(*store);
  return {};
}

std::expected<void, std::string> Broker::recover(Log& log) {
  if (!store_) return {};
  auto state = store_->recover();
  if (!state) return std::unexpected(state.error());
  const std::size_t sessions = state->queues.size();
  const std::size_t values = state->values.size();
  const std::uint64_t messages = state->messages;
  std::vector<Shard*> shards;
  for (const auto& thread : threads_) shards.push_back(&thread->shard());
  restore(std::move(*state), shards);
  log.print(LogLevel::kInfo, "{}: {} sessions with {} messages, {} retained values.",
            settings_.store->folder, sessions, messages, values);
  return {};
}

std::expected<void, std::string> Broker::bind() {
  const auto count = static_cast<std::uint16_t>(settings_.listeners.size());
  std::vector<const transport::DatagramSocket*> sockets(count);  // of the first shard
  for (std::uint16_t i = 0; i < count; ++i) {
    const ListenerSettings& listener = settings_.listeners[i];
    const bool stream = listener.protocol->transport() == session::Transport::kStream;
    auto bound = stream           ? bind_stream(i)
                 : listener.group ? join_group(i, *sockets[listener.group->through])
                                  : bind_datagram(i, sockets[i]);
    if (!bound) return bound;
  }
  return {};
}

std::expected<void, std::string> Broker::bind_stream(std::uint16_t index) {
  const ListenerSettings& listener = settings_.listeners[index];
  auto bound = !listener.path.empty()
                   ? transport::listen_unix(listener.path, settings_.threads)
                   : bind_all<std::unique_ptr<transport::StreamListener>>(
                         listener.address, settings_.threads, settings_.threads > 1,
                         [](const transport::Address& at, bool shared) {
                           return transport::listen_tcp(at, {.reuse_port = shared});
                         });
  if (!bound) return std::unexpected(bound.error());
  addresses_.push_back(bound->front()->local());
  for (std::size_t t = 0; t < threads_.size(); ++t) {
    if (!threads_[t]->shard().add_listener(index, std::move((*bound)[t]))) {
      return std::unexpected(kNotWatched);
    }
  }
  return {};
}

std::expected<void, std::string> Broker::bind_datagram(std::uint16_t index,
                                                       const transport::DatagramSocket*& first) {
  const bool has_group = std::ranges::any_of(settings_.listeners, [index](const auto& other) {
    return other.group && other.group->through == index;
  });
  auto bound = bind_all<std::unique_ptr<transport::DatagramSocket>>(
      settings_.listeners[index].address, settings_.threads, settings_.threads > 1 || has_group,
      [](const transport::Address& at, bool shared) {
        return transport::bind_udp(at, {.reuse_port = shared});
      });
  if (!bound) return std::unexpected(bound.error());
  first = bound->front().get();
  addresses_.push_back(first->local());
  for (std::size_t t = 0; t < threads_.size(); ++t) {
    if (!threads_[t]->shard().add_socket(index, std::move((*bound)[t]))) {
      return std::unexpected(kNotWatched);
    }
  }
  return {};
}

// One shard joins: were there several, each would answer.
std::expected<void, std::string> Broker::join_group(std::uint16_t index,
                                                    const transport::DatagramSocket& through) {
  const ListenerSettings& listener = settings_.listeners[index];
  auto joined = transport::join_udp(listener.address, listener.group->interface, through);
  if (!joined) return std::unexpected(joined.error());
  addresses_.push_back(joined->front()->local());
  for (auto& socket : *joined) {
    if (!threads_.front()->shard().add_socket(index, std::move(socket))) {
      return std::unexpected(kNotWatched);
    }
  }
  return {};
}

void Broker::start() {
  if (store_) store_->start();
  for (auto& thread : threads_) thread->start();
}

void Broker::notice_changes() {
  for (auto& thread : threads_) thread->poller().wake();
}

void Broker::stop() {
  for (auto& thread : threads_) thread->stop();
  for (auto& thread : threads_) thread->join();
  // A shard that has ended last has sent wills to those before it, and perhaps a connection, which
  // may have a will.
  constexpr int kRounds = 2;
  for (int round = 0; round < kRounds; ++round) {
    for (auto& thread : threads_) thread->shard().shut_down();
  }
  if (!store_) return;
  store_->stop();
  for (auto& thread : threads_) thread->shard().hear_last();
  store_->write_rest();
}

}  // namespace hermod::broker
