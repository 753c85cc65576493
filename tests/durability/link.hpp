// SPDX-License-Identifier: Apache-2.0
// One TCP connection of a client with the project's client session on it. It has no will of its
// own: the client tells it what to do, and hears what the session wants.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "hermod/base/output.hpp"
#include "hermod/mqtt/session/client_session.hpp"
#include "hermod/transport/poller.hpp"
#include "hermod/transport/tcp.hpp"

namespace hermod::durability {

class Link {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    /// An effect of the session beside Close. What it borrows lives until the call returns. The
    /// link is not called from here.
    virtual void on_effect(const session::Effect& effect) = 0;
  };

  /// `stream` is being connected, and watched by the owner's poller.
  Link(std::unique_ptr<transport::TcpStream> stream, mqtt::ClientOptions options,
       session::Inflight inflight, Owner& owner);

  void on_event(const transport::Event& event, Instant now);
  /// due() has come.
  void on_time(Instant now);
  [[nodiscard]] Instant due() const;

  // What the application does, while the session is open.
  [[nodiscard]] bool subscribe(std::span<const mqtt::SubscribeEntry> entries,
                               session::Ticket ticket, Instant now);
  void deliver(const model::DeliveryBatch& batch, Instant now);
  void answer(std::span<const session::Ticket> tickets, Instant now);
  /// Says DISCONNECT and closes.
  void disconnect(Instant now);
  /// Closes without a word.
  void drop(Instant now);
  /// Reads at most `bytes` at a time and pauses in between; no pause: as fast as it goes.
  void read_slowly(std::size_t bytes, Duration pause);

  /// Why the session gave the connection up: the broker broke the protocol, fell silent, or said
  /// that it ends it; kOk: it did not.
  [[nodiscard]] model::Reason gave_up() const { return gave_up_; }
  [[nodiscard]] bool over() const { return over_; }
  /// Nothing waits to be written.
  [[nodiscard]] bool idle() const { return output_.empty(); }
  /// The exchanges that are not over; once the link is.
  [[nodiscard]] session::Inflight take_inflight() { return session_.take_inflight(); }

 private:
  template <typename Input>
  void with_session(const Input& input);
  void read(Instant now);
  void offer(Instant now);
  void flush(Instant now);
  void finish(Instant now);

  std::unique_ptr<transport::TcpStream> stream_;
  mqtt::ClientSession session_;
  Owner& owner_;
  Output output_;
  std::vector<std::uint8_t> rest_;  // read and not consumed
  session::EffectList effects_;
  mqtt::Version version_;
  std::size_t read_max_;
  Duration pause_{0};
  Instant read_at_{};
  bool connected_ = false;
  bool unread_ = false;   // there may be something to read
  bool closing_ = false;  // the session wants the end
  bool leaving_ = false;  // DISCONNECT was asked for
  bool over_ = false;
  model::Reason gave_up_ = model::Reason::kOk;
};

}  // namespace hermod::durability
