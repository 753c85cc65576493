// SPDX-License-Identifier: Apache-2.0
// Shards on a network in memory, with clients that a test moves by hand. Nothing happens unless the
// test says so, and time stands still unless it lets it go on.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hermod/broker/authorizers.hpp"
#include "hermod/broker/shard.hpp"
#include "hermod/testkit/memory_journal.hpp"
#include "hermod/transport/memory.hpp"
#include "line_protocol.hpp"

namespace hermod::broker {

/// The network's time. Something may happen right after a shard has read it.
class WorldClock final : public Clock {
 public:
  explicit WorldClock(const transport::MemoryNetwork& network) : network_(network) {}
  [[nodiscard]] Instant now() const override {
    const Instant read = network_.now();
    if (auto happens = std::exchange(after_next_, {})) happens();
    return read;
  }
  [[nodiscard]] Duration since_1970() const override {
    return network_.now().time_since_epoch() + calendar_ahead_;
  }
  void after_next(std::function<void()> happens) { after_next_ = std::move(happens); }
  /// Somebody sets the calendar.
  void set_calendar_ahead(Duration by) { calendar_ahead_ = by; }

 private:
  const transport::MemoryNetwork& network_;
  mutable std::function<void()> after_next_;
  Duration calendar_ahead_{};
};

class World {
 public:
  static constexpr std::uint16_t kLines = 0;  ///< listeners by index
  static constexpr std::uint16_t kDatagrams = 1;
  static constexpr std::uint64_t kHashKey = 7;

  /// Changes of `settings` made later count too. Streams speak `stream`, or lines. Everybody may do
  /// everything, or what `authorizer` says on all listeners of all shards. `base` is for settings
  /// that are looked at once.
  explicit World(std::uint16_t shards = 1, const transport::MemoryOptions& options = {},
                 const session::Protocol* stream = nullptr, core::Authorizer* authorizer = nullptr,
                 Settings base = {}, bool ephemeral = false)
      : settings(std::move(base)), network(options), mailroom(shards) {
    if (ephemeral) journal_.now = core::Journal::State::kNothing;
    network.advance_to(Instant{std::chrono::seconds{100}});
    if (authorizer != nullptr) asked_ = authorizer;
    settings.threads = shards;
    settings.listeners.push_back({.protocol = stream != nullptr ? stream : &lines});
    settings.listeners.push_back({.protocol = &datagrams});
    std::vector<transport::Poller*> pollers;
    for (std::uint16_t self = 0; self < shards; ++self) {
      machines_.push_back(std::make_unique<Machine>(*this, self));
      pollers.push_back(&machines_.back()->poller);
    }
    for (std::uint16_t self = 0; self < shards; ++self) {
      shard(self).connect(pollers);
      auto listener = network.listen(address(self));
      EXPECT_TRUE(shard(self).add_listener(kLines, std::move(*listener)));
      auto socket = network.bind(address(self));
      EXPECT_TRUE(shard(self).add_socket(kDatagrams, std::move(*socket)));
    }
  }

  /// Where that shard, and no other, accepts and receives.
  [[nodiscard]] static transport::Address address(std::uint16_t self) {
    return transport::Address::v4({10, 0, 0, static_cast<std::uint8_t>(self + 1)}, 1);
  }
  [[nodiscard]] Shard& shard(std::uint16_t self = 0) { return machines_[self]->shard; }
  /// One for all shards, as a store is.
  [[nodiscard]] MemoryJournal& journal() { return journal_; }
  /// `stem` with a number, so that it belongs to that shard.
  [[nodiscard]] std::string name_on(std::uint16_t owner, std::string_view stem) {
    for (int number = 0;; ++number) {
      std::string name = fmt::format("{}{}", stem, number);
      if (shard().core().owner_of(name) == owner) return name;
    }
  }

  /// As an authorizer does that has news.
  void wake(std::uint16_t self = 0) { machines_[self]->poller.wake(); }

  /// One turn of a shard.
  void turn(std::uint16_t self = 0) {
    machines_[self]->due = machines_[self]->shard.turn(Duration::max());
  }
  /// Turns whoever has something to do until nobody has.
  void run() {
    int left = 100'000;
    for (bool busy = true; busy && left > 0;) {
      busy = false;
      for (std::uint16_t self = 0; self < machines_.size(); ++self) {
        if (!machines_[self]->poller.ready() && machines_[self]->due > network.now()) continue;
        busy = true;
        --left;
        turn(self);
      }
    }
    if (left <= 0) ADD_FAILURE() << "the shards find no rest";
  }
  /// Lets time go on, and everything happen that becomes due.
  void pass(Duration duration) {
    const Instant end = network.now() + duration;
    for (run();; run()) {
      Instant next = network.next_due();
      for (auto& machine : machines_) next = std::min(next, machine->due);
      if (next > end) break;
      network.advance_to(next);
    }
    network.advance_to(end);
    run();
  }
  [[nodiscard]] std::size_t connections() {
    std::size_t all = 0;
    for (auto& machine : machines_) all += machine->shard.connections();
    return all;
  }
  /// Letters on their way, or lent payloads that have not come home.
  [[nodiscard]] std::size_t mail() {
    std::size_t all = 0;
    for (std::uint16_t from = 0; from < mailroom.shards(); ++from) {
      all += shard(from).outbox().lent();
      for (std::uint16_t to = 0; to < mailroom.shards(); ++to) {
        all += mailroom.between(from, to).letters();
      }
    }
    return all;
  }

  Settings settings;
  transport::MemoryNetwork network;
  WorldClock clock{network};
  LineProtocol lines{session::Transport::kStream};
  LineProtocol datagrams{session::Transport::kDatagram};
  Mailroom mailroom;
  Sources sources;

 private:
  struct Machine {
    Machine(World& world, std::uint16_t self)
        : rng(self + 1),
          poller(world.network),
          shard({.settings = world.settings,
                 .self = self,
                 .hash_key = kHashKey,
                 .clock = world.clock,
                 .rng = rng,
                 .log = world.log_,
                 .journal = world.journal_,
                 .authorizers = {world.settings.listeners.size(), world.asked_},
                 .poller = poller,
                 .mailroom = world.mailroom,
                 .sources = world.sources}) {}
    SeededRng rng;
    transport::MemoryPoller poller;
    Shard shard;
    Instant due{};
  };

  NullLog log_;
  MemoryJournal journal_;
  AnonymousAuthorizer open_{true};
  core::Authorizer* asked_ = &open_;
  std::vector<std::unique_ptr<Machine>> machines_;
};

/// The far end of a stream.
class Client {
 public:
  explicit Client(World& world, std::uint16_t shard = 0, const transport::Address& from = {})
      : world_(world), stream_(world.network.connect(World::address(shard), from)) {}

  /// Octets, as they are; returns how many the network took.
  std::size_t write(std::string_view octets) {
    const Bytes piece = as_bytes(octets);
    const transport::IoResult result = stream_->write({&piece, 1});
    return result.status == transport::IoResult::Status::kDone ? result.count : 0;
  }
  /// Lines, which the network must take.
  void send(std::string_view line) {
    const std::string text = fmt::format("{}\n", line);
    std::size_t taken = 0;
    for (int tries = 0; taken < text.size() && tries < 100; ++tries) {
      taken += write(std::string_view{text}.substr(taken));
    }
    EXPECT_EQ(taken, text.size());
  }
  /// What has come since the last time.
  std::string read() {
    std::string text;
    std::vector<std::uint8_t> buffer(64 * 1024);
    for (;;) {
      const transport::IoResult result = stream_->read(buffer);
      ended_ = ended_ || result.status == transport::IoResult::Status::kClosed ||
               result.status == transport::IoResult::Status::kFailed;
      if (result.status != transport::IoResult::Status::kDone) return text;
      text += as_text(Bytes{buffer}.first(result.count));
    }
  }
  /// Sends lines and lets everybody work; returns what comes back.
  std::string ask(std::string_view line) {
    send(line);
    world_.run();
    return read();
  }
  /// Whether the broker has ended the connection; asked after read().
  [[nodiscard]] bool ended() const { return ended_; }
  /// This end has said everything; or is gone at once.
  void end() { stream_->shutdown_write(); }
  void reset() { world_.network.reset(*stream_); }
  [[nodiscard]] transport::Stream& stream() { return *stream_; }

 private:
  World& world_;
  std::unique_ptr<transport::Stream> stream_;
  bool ended_ = false;
};

/// The far end of datagrams.
class PeerClient {
 public:
  explicit PeerClient(World& world, std::uint16_t shard = 0, std::uint16_t port = 0)
      : world_(world),
        shard_(shard),
        socket_(std::move(*world.network.bind(transport::Address::v4({10, 1, 0, 1}, port)))) {}

  void send(std::string_view line) {
    std::memcpy(socket_->reserve(line.size()), line.data(), line.size());
    socket_->commit(line.size(), World::address(shard_));
    socket_->flush();
  }
  /// Datagrams that came, a line each.
  std::string read() {
    std::string text;
    for (;;) {
      const auto batch = socket_->receive();
      for (const transport::Datagram& datagram : batch) {
        text += as_text(datagram.bytes);
        text += '\n';
      }
      if (batch.empty()) return text;
    }
  }
  std::string ask(std::string_view line) {
    send(line);
    world_.run();
    return read();
  }

 private:
  World& world_;
  std::uint16_t shard_;
  std::unique_ptr<transport::DatagramSocket> socket_;
};

}  // namespace hermod::broker
