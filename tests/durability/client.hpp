// SPDX-License-Identifier: Apache-2.0
// A client over all its connections: connects, and connects again whenever the connection ends,
// with what its session left unfinished. What it publishes or reads is the business of its kinds.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "checker.hpp"
#include "hermod/base/rng.hpp"
#include "link.hpp"
#include "loop.hpp"

namespace hermod::durability {

/// What all clients of a run share.
struct World {
  Loop& loop;
  Checker& checker;
  transport::Address broker;
  bool verbose = false;
  std::uint64_t connacks = 0;          ///< CONNACKs so far
  Instant first_connack = kNever;      ///< since it was last set to kNever
  std::uint32_t connecting = 0;        ///< clients whose CONNACK is awaited
  std::uint64_t sessions_present = 0;  ///< CONNACKs that said so

  /// A line of the verbose trace.
  void note(std::string_view who, std::string_view what) const;
  void note(std::string_view who, std::string_view what, std::string_view topic,
            std::uint64_t sequence) const;
};

/// Who a client is.
struct Identity {
  std::string name;
  mqtt::Version version = mqtt::Version::kV311;
  bool lasting = true;  ///< its session outlives the connection
  std::uint16_t inflight_max = 20;
  std::uint16_t receive_max = 65'535;  ///< MQTT 5
};

class Client : public Task, protected Link::Owner {
 public:
  Client(World& world, Identity identity, std::uint64_t seed);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Connects now, and from then on whenever it has no connection.
  void start();
  /// Ends the connection with DISCONNECT and does not come back before start().
  void leave();
  [[nodiscard]] bool open() const { return open_; }
  [[nodiscard]] bool connected() const { return link_ != nullptr; }
  [[nodiscard]] const std::string& name() const { return identity_.name; }

  void on_event(const transport::Event& event, Instant now) final;
  void on_time(Instant now) final;

 protected:
  // What the kinds of clients do:
  virtual void on_opened(bool session_present, Instant now) = 0;
  virtual void on_lost(Instant now) = 0;
  virtual void on_message(const session::Publish&) {}
  virtual void on_completed(const session::Completed&) {}
  virtual void on_settle(const session::Settle&) {}
  virtual void on_credit(std::uint32_t) {}
  /// Whatever is to be done now; called after each event and at its due().
  virtual void act(Instant now) = 0;
  [[nodiscard]] virtual Instant due() const { return kNever; }

  /// The session exists for the broker from here on, so that it must be there after any stop.
  void session_confirmed() { confirmed_ = identity_.lasting; }
  // To be called from act(), which then returns; the end is seen to behind it.
  /// Closes the connection, with DISCONNECT or without a word, and comes back after `pause`.
  void break_off(bool politely, Duration pause, Instant now);
  /// Ends the connection with DISCONNECT and does not come back before start().
  void stay_away(Instant now);

  /// act(), if it may, and whatever follows from it.
  void settle_down(Instant now);
  [[nodiscard]] Duration between(Duration least, Duration most);
  [[nodiscard]] bool chance(std::uint64_t permille) { return rng_.below(1000) < permille; }

  World& world() { return world_; }
  Link& link() { return *link_; }
  SeededRng& rng() { return rng_; }
  [[nodiscard]] const Identity& identity() const { return identity_; }

 private:
  void on_effect(const session::Effect& effect) override;
  void connect(Instant now);
  [[nodiscard]] mqtt::ClientOptions options() const;

  World& world_;
  Identity identity_;
  SeededRng rng_;
  transport::Token token_;
  std::unique_ptr<Link> link_;
  session::Inflight inflight_;
  Instant connect_at_ = kNever;
  Duration pause_{};  // before it connects again, once
  bool wanted_ = false;
  bool open_ = false;
  bool confirmed_ = false;
};

}  // namespace hermod::durability
