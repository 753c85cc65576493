// SPDX-License-Identifier: Apache-2.0
// One connection of a simulated client: a memory stream with a client session on it, carried the
// way a client library does it. It has no will of its own; the actor tells it what to do.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "hermod/base/output.hpp"
#include "hermod/mqtt/session/client_session.hpp"
#include "hermod/transport/memory.hpp"
#include "hermod/transport/stream.hpp"

namespace hermod::sim {

class MqttLink {
 public:
  /// Who decides what to do with what the session wants.
  class Owner {
   public:
    virtual ~Owner() = default;
    /// An effect beside Close. What it borrows lives until the call returns.
    virtual void on_effect(session::Effect& effect) = 0;
  };

  enum class End : std::uint8_t {
    kNone,     ///< it stands
    kGoodbye,  ///< DISCONNECT was sent in time, and the broker has ended the connection after it
    kBroken,   ///< anything else
  };

  /// `stream` is watched by the owner's poller, which says when to call on_ready().
  MqttLink(std::unique_ptr<transport::Stream> stream, const mqtt::ClientOptions& options,
           session::Inflight inflight, Owner& owner);

  void open(Instant now);
  /// The stream may be readable or writable, or time has passed.
  void on_ready(Instant now);
  /// When on_ready() is wanted because of time.
  [[nodiscard]] Instant due() const;

  // What the application does.
  [[nodiscard]] bool subscribe(std::span<const mqtt::SubscribeEntry> entries,
                               session::Ticket ticket, Instant now);
  [[nodiscard]] bool unsubscribe(std::span<const std::string_view> filters, session::Ticket ticket,
                                 Instant now);
  void deliver(const model::DeliveryBatch& batch, Instant now);
  void answer(std::span<const session::Ticket> tickets, Instant now);
  void disconnect(Instant now);
  /// The application is done with the connection, which stays as it is until this is destroyed.
  void abandon(Instant now);

  /// Reads at most `bytes` at a time and pauses in between.
  void read_slowly(std::size_t bytes, Duration pause);

  [[nodiscard]] End end() const { return end_; }
  /// DISCONNECT has been handed over.
  [[nodiscard]] bool said_goodbye() const { return said_goodbye_; }
  [[nodiscard]] bool idle() const { return output_.empty(); }
  [[nodiscard]] transport::Stream& stream() { return *stream_; }
  [[nodiscard]] session::Inflight take_inflight() { return session_.take_inflight(); }
  /// The DUP flag of the PUBLISH that the effect being executed stands for.
  [[nodiscard]] bool dup_of(session::Ticket ticket);
  /// PUBLISH packets at most once that say DUP [MQTT-3.3.1-2], so far.
  [[nodiscard]] std::size_t odd_packets() const { return odd_packets_; }

 private:
  /// How long the broker's end is waited for after DISCONNECT.
  static constexpr Duration kLinger = std::chrono::seconds{10};
  struct Seen {
    std::uint16_t packet_id;
    std::uint8_t qos;
    bool dup;
  };
  template <typename Input>
  void with_session(Input&& input);
  void read(Instant now);
  void offer(Instant now);
  void scan(Bytes bytes);
  void flush(Instant now);
  void finish(End end, Instant now);

  std::unique_ptr<transport::Stream> stream_;
  mqtt::ClientSession session_;
  Owner& owner_;
  Output output_;
  std::vector<std::uint8_t> rest_;       // read and not consumed
  std::vector<std::uint8_t> unscanned_;  // the start of a packet
  std::deque<Seen> publishes_;           // scanned and not handed to the owner
  std::size_t odd_packets_ = 0;
  std::size_t read_max_ = 4096;
  Duration read_pause_{0};
  Instant read_at_{};
  bool unread_ = true;
  bool closing_ = false;    // the session wants the end
  bool gave_up_ = false;    // because it hears nothing
  bool lingering_ = false;  // written and shut down; waits for the broker's end
  Instant linger_until_ = kNever;
  Duration keep_alive_;
  mqtt::Version version_;
  Instant written_at_{};
  bool said_goodbye_ = false;
  bool in_time_ = false;  // the broker cannot have lost patience before
  End end_ = End::kNone;
};

}  // namespace hermod::sim
