// SPDX-License-Identifier: Apache-2.0
// A simulated MQTT client: keeps a connection up, publishes, subscribes and acknowledges, and now
// and then does what clients do to brokers: vanishes, freezes, reads slowly, connects twice. Tells
// the ledger what it did; knows nothing of the broker's inside.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "jury.hpp"
#include "ledger.hpp"
#include "mqtt_link.hpp"
#include "reader.hpp"
#include "saboteur.hpp"
#include "world.hpp"

namespace hermod::sim {

/// Who the client is.
struct MqttPlan {
  std::string name;
  ProducerId producer = 0;
  bool lasting = false;              ///< asks for a session that outlives the connection
  std::vector<std::string> filters;  ///< what it may subscribe to
  std::string group;                 ///< "$share/...": its only filter, if any
  std::vector<TopicId> topics;       ///< what it may publish to
  std::optional<TopicId> will;
  bool retain_will = false;
  bool slow_answers = false;
  bool slow_reader = false;
  mqtt::Version version = mqtt::Version::kV311;
  std::uint16_t receive_max = 65'535;  ///< MQTT 5, as the next two
  std::uint16_t alias_max = 0;         ///< numbers for topics that the broker may use
  std::uint16_t own_alias_max = 0;     ///< that the client uses
  bool subscribes_to_all = false;      ///< to all filters, at level 1, whenever its session begins
};

class MqttActor final : public Task, public MqttLink::Owner {
 public:
  MqttActor(World& world, Ledger& ledger, Jury& jury, MqttPlan plan, std::uint64_t seed);

  // --- Task ---
  [[nodiscard]] Instant due() const override;
  void run(Instant now) override;

  // --- what the scenario tells it ---
  /// Connects, and connects again whenever the connection has ended.
  void start();
  /// Does something, chosen by chance.
  void act();
  void publish(TopicId topic, model::Guarantee guarantee, std::size_t size);
  void subscribe(const std::string& filter, model::Guarantee guarantee);
  /// Behaves from now on: no more freezing, slow reading, odd ends.
  void calm_down();
  /// Ends its connection, and its session with it.
  void retire();
  /// The broker has stopped; what it was told before `safe` is kept. `whole`: the rest of what it
  /// has done is kept altogether, or not at all.
  void on_stopped(Instant safe, bool whole);

  /// Nothing that it has begun is unfinished.
  [[nodiscard]] bool settled() const;
  [[nodiscard]] bool retired() const { return stage_ == Stage::kRetired; }
  [[nodiscard]] std::string state() const;
  [[nodiscard]] const std::string& name() const { return plan_.name; }
  [[nodiscard]] const Reader& reader() const { return reader_; }
  [[nodiscard]] ProducerId producer() const { return plan_.producer; }
  [[nodiscard]] std::uint32_t connection() const { return connection_; }
  /// Messages received so far.
  [[nodiscard]] std::uint64_t received() const { return received_; }
  /// Retained values that came, by topic, the last of each.
  [[nodiscard]] const std::map<TopicId, PublicationId>& retained() const { return retained_; }

 private:
  enum class Stage : std::uint8_t { kIdle, kRunning, kWiping, kRetired };
  /// What the broker knows of its session.
  enum class Held : std::uint8_t { kNo, kYes, kMaybe };

  struct Outgoing {
    PublicationId id = 0;
    bool taken = false;  ///< handed to this connection
    bool again = false;  ///< was handed to an earlier one
    bool settled = false;
  };
  struct Request {
    std::string filter;
    std::optional<std::size_t> grant;  ///< nothing: an UNSUBSCRIBE
    std::size_t before = 0;            ///< UNSUBSCRIBE: the grants that it ends
  };
  struct OldLink {
    std::unique_ptr<MqttLink> link;
    Instant until{};
    bool unanswered = false;  ///< its CONNECT may still be under way
  };

  /// A will whose connection is over.
  struct PastWill {
    PublicationId id = 0;
    Instant opened = kNever;
    Instant ended{};
  };

  // mqtt_actor.cpp: the connection
  void connect(Instant now);
  [[nodiscard]] mqtt::ClientOptions client_options(bool clean);
  void on_effect(session::Effect& effect) override;
  void on_opened(const session::Opened& opened);
  void check_session_present(bool present, Instant now);
  void on_completed(const session::Completed& completed);
  void on_publish(const session::Publish& publish);
  std::unique_ptr<MqttLink> lose_link(Instant now);
  void forget_settled();
  void settle_will(MqttLink::End end);
  void send_outgoing(Instant now);
  [[nodiscard]] bool send_batch(Instant now);
  void answer_some(Instant now);
  void choose_subscriptions();
  [[nodiscard]] model::Guarantee some_guarantee();
  void subscribe_wanted();
  void hear(const Arrival& arrival);

  // mqtt_acts.cpp: what it does by itself
  void publish_some();
  void subscribe_some();
  void unsubscribe_some();
  void say_goodbye();
  void break_connection(bool silently);
  void freeze();
  void take_over();

  // mqtt_stops.cpp: what the end of the broker makes uncertain
  struct StopFacts {
    Instant safe;
    bool whole = false;
  };
  void judge_will_anew(const PastWill& will, const StopFacts& stop);

  World& world_;
  Ledger& ledger_;
  Jury& jury_;
  MqttPlan plan_;
  SeededRng rng_;
  Reader reader_;
  Saboteur saboteur_;
  transport::MemoryPoller poller_;
  std::unique_ptr<MqttLink> link_;
  std::vector<OldLink> old_links_;
  session::Inflight inflight_;
  Stage stage_ = Stage::kIdle;
  Held held_ = Held::kNo;
  Held held_before_ = Held::kNo;
  bool open_ = false;
  bool clean_ = true;  // this connection asked for a clean session
  bool calm_ = false;
  bool kick_ = false;  // something was decided that run() has to see to
  std::uint32_t connections_ = 0;
  std::uint32_t connection_ = 0;
  Instant opened_at_{};
  Instant ended_at_{};
  Instant session_since_ = kNever;    // CONNACK of a new session
  std::optional<StopFacts> stopped_;  // while this connection stood
  std::deque<PastWill> past_wills_;
  Instant connect_at_ = kNever;
  Instant frozen_until_{};
  Instant answer_at_{};
  std::deque<Outgoing> outgoing_;
  model::Tag first_tag_ = 1;  // of outgoing_.front()
  std::uint32_t credit_ = 0;
  std::map<session::Ticket, Request> requests_;
  session::Ticket last_request_ = 0;
  std::vector<std::string> wanted_;  // filters to subscribe to as soon as possible
  std::deque<session::Ticket> unanswered_;
  std::optional<PublicationId> will_;
  std::map<TopicId, PublicationId> retained_;
  std::uint64_t received_ = 0;
  bool forgot_ = false;  // an acknowledgement, on purpose
};

}  // namespace hermod::sim
