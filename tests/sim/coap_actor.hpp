// SPDX-License-Identifier: Apache-2.0
// A simulated CoAP client: a device with one socket that reads, writes, deletes and observes
// topics. It speaks in datagrams, with the codec and nothing else of the project, so that it is an
// opinion of its own on retransmission, deduplication, observing and blocks (RFC 7252 §4,
// RFC 7641 §3, RFC 7959), and on Echo and Request-Tag (RFC 9175).
//
//   planned -> open: sent, repeated until acknowledged -> answered, or given up
//                ^                                            |
//                +---- the next block, or the same with Echo --+
//   observation: registering -> active -> cancelled (GET), forgotten (RST), ended (an error came)
//                               active: its value is whole, or its first block has come
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coap_counts.hpp"
#include "coap_jury.hpp"
#include "coap_message.hpp"
#include "coap_saboteur.hpp"
#include "hermod/transport/datagram.hpp"
#include "ledger.hpp"
#include "observer.hpp"
#include "world.hpp"

namespace hermod::sim {

/// Who the client is.
struct CoapPlan {
  std::string name;
  std::vector<TopicId> writes;  ///< what it may PUT and DELETE
  std::vector<TopicId> reads;   ///< what it may GET and observe
};

class CoapActor final : public Task {
 public:
  CoapActor(World& world, Ledger& ledger, Jury& jury, CoapJury& coap_jury, CoapPlan plan,
            std::uint64_t seed);

  // --- Task ---
  [[nodiscard]] Instant due() const override;
  void run(Instant now) override;

  // --- what the scenario tells it ---
  /// Does something, chosen by chance.
  void act();
  void put(TopicId topic, std::size_t size, bool confirmable);
  void remove(TopicId topic, bool confirmable);
  void get(TopicId topic, bool confirmable);
  /// Non-confirmable, before everything that is planned.
  void get_at_once(TopicId topic);
  void put_at_once(TopicId topic, std::size_t size);
  void observe(TopicId topic, bool confirmable);
  /// Ends an observation of the topic, if it has one, by asking or by a Reset.
  void cancel(TopicId topic, bool by_reset, bool confirmable);
  /// From now on half of what is notified without confirmation is lost.
  void lose_unconfirmed() { loses_unconfirmed_ = true; }
  /// Behaves from now on: no more freezing and vanishing.
  void calm_down();
  /// Cancels what it observes, and answers whatever else comes.
  void retire();
  /// Vanishes and comes back with another address, knowing nothing.
  void restart();

  /// Nothing that it has begun is unfinished.
  [[nodiscard]] bool settled() const { return planned_.empty() && open_.empty(); }
  [[nodiscard]] std::string state() const;
  [[nodiscard]] const std::string& name() const { return plan_.name; }
  /// Datagrams received so far.
  [[nodiscard]] std::uint64_t received() const { return received_; }
  [[nodiscard]] const CoapCounts& counts() const { return counts_; }
  [[nodiscard]] std::size_t observing() const;
  [[nodiscard]] std::uint16_t shard() const { return world_.shard_of(socket_->local()); }
  /// The last values that GETs brought, by topic.
  [[nodiscard]] const std::map<TopicId, Value>& found() const { return found_; }

  // --- the questions ---
  /// Every observation that stands holds the last value. With `undisturbed_only` those that may
  /// have been lost while the client was away are not asked about.
  void check_observations(bool undisturbed_only);

 private:
  enum class Aim : std::uint8_t { kPut, kDelete, kGet, kFetch, kRegister, kCancel };
  struct Request {
    Aim aim = Aim::kGet;
    TopicId topic = 0;
    std::size_t size = 0;
    bool confirmable = true;
    std::string token;  ///< of the observation; empty: a new one
  };
  /// A body in blocks, over all messages that it takes.
  struct Transfer {
    Octets body;  ///< what is sent; or what is to come, as its publisher made it
    Value value;  ///< of what comes
    std::string etag;
    std::string changed;      ///< the ETag that is said to hold no more
    std::string request_tag;  ///< empty: none
    bool says_size = false;   ///< Size1 in the first block
    unsigned beginnings = 0;
  };
  struct Exchange {
    Request request;
    std::uint16_t id = 0;
    std::string token;
    Octets datagram;
    std::optional<PublicationId> publication;
    Instant begun{};
    Instant due{};
    Duration timeout{};
    unsigned repeats = 0;
    bool reliable = false;  ///< the network loses nothing
    bool open = true;
    bool acknowledged = false;  ///< without a response
    bool patient = false;       ///< the last wait
    bool given_up = false;
    std::optional<coap::Code> code;
    std::optional<std::uint16_t> separate;  ///< Message ID of the separate response
    std::map<std::string, Value> etags;     ///< those that the request offered
    std::optional<coap::Block> block;       ///< that it carries or asks for
    std::shared_ptr<Transfer> transfer;
    std::string echo;
  };
  struct Observation {
    enum class State : std::uint8_t { kRegistering, kActive, kCancelled, kForgotten, kEnded };
    Observer observer;
    State state = State::kRegistering;
    Instant registered = kNever;  ///< the first registration was answered
    Instant fresh_until = kNever;
    Instant rejected = kNever;  ///< cancelled, or last rejected, on a network that loses nothing
    unsigned strays = 0;        ///< that came then
    bool disturbed = false;     ///< the broker may have lost patience with it
    std::string etag;           ///< of a value of which a block has come
    std::size_t block_size = 0;
    bool whole = true;
    bool fetching = false;
  };

  // coap_actor.cpp: datagrams in and out
  void open_socket();
  [[nodiscard]] Instant find_next_due() const;
  void receive(Instant now);
  void pass(const CoapMessage& message, Instant now);
  void hear(const CoapMessage& message, Instant now);
  void on_acknowledgement(const CoapMessage& message, Instant now);
  void on_message(const CoapMessage& message, Instant now);
  void send(const Octets& datagram);
  void answer(coap::Type type, const CoapMessage& message);
  void start_planned(Instant now);
  [[nodiscard]] bool may_start(const Request& request) const;
  void start(const Request& request, Instant now);
  Exchange& add_exchange(const Request& request, std::string token);
  void transmit(Exchange& exchange, Instant now);
  [[nodiscard]] CoapMessage compose(Exchange& exchange);
  void repeat_due(Instant now);
  void repeat(Exchange& exchange, Instant now);
  void give_up(Exchange& exchange, Instant now);
  void close(Exchange& exchange);
  [[nodiscard]] Duration patience() const;
  Exchange* find_id(std::uint16_t id);
  Exchange* find_token(const std::string& token);

  // coap_meaning.cpp: what responses and notifications say
  void on_response(Exchange& exchange, const CoapMessage& message, bool piggybacked, Instant now);
  void on_put_answer(Exchange& exchange, const CoapMessage& message, Instant now);
  void on_get_answer(Exchange& exchange, const CoapMessage& message, Instant now);
  void on_registered(Exchange& exchange, const CoapMessage& message, bool piggybacked, Instant now);
  void on_cancelled(Exchange& exchange, const CoapMessage& message, bool piggybacked, Instant now);
  void check_no_deletion(const Observation& observation, const Value& value);
  void on_notification(Observation& observation, const CoapMessage& message, Instant now);
  [[nodiscard]] bool is_late(const Observation& observation, Instant now) const;
  void on_stray(Observation& observation, const CoapMessage& message, Instant now);
  void end_observation(Observation& observation, const CoapMessage& message);
  [[nodiscard]] std::optional<Value> value_of(TopicId topic, const CoapMessage& message,
                                              Instant now);
  [[nodiscard]] std::optional<PublicationId> find_publication(TopicId topic,
                                                              const CoapMessage& message) const;
  void add_read(const Exchange& exchange, const Value& value);
  void keep_fresh(Observation& observation, const CoapMessage& message, Instant now);
  void renew_stale(Instant now);
  template <typename... Args>
  void object(fmt::format_string<Args...> format, Args&&... args) {
    world_.trace().violation(world_.now(), "{}: {}", plan_.name,
                             fmt::format(format, std::forward<Args>(args)...));
  }

  // coap_blocks.cpp: bodies in blocks, Echo
  void go_on(Exchange& before, std::optional<coap::Block> block, Instant now);
  [[nodiscard]] bool on_challenge(Exchange& exchange, const CoapMessage& message, Instant now);
  void choose_blocks(Exchange& exchange);
  void compose_change(Exchange& exchange, CoapMessage& message);
  [[nodiscard]] bool on_block_taken(Exchange& exchange, const CoapMessage& message, Instant now);
  void begin_body_again(Exchange& exchange, Instant now);
  void check_body_size(const Exchange& exchange, coap::Code code);
  [[nodiscard]] bool on_part(Exchange& exchange, const CoapMessage& message, Instant now);
  [[nodiscard]] bool on_first_part(Exchange& exchange, const CoapMessage& message, Instant now);
  void on_next_part(Exchange& exchange, const CoapMessage& message, Instant now);
  void on_changed(Exchange& exchange, Instant now);
  void on_complete(Exchange& exchange);
  void hold(const std::string& token, Observation& observation, const CoapMessage& message);
  void plan_fetch(const std::string& token, Observation& observation, bool confirmable);
  [[nodiscard]] bool start_fetch(Exchange& exchange);
  void end_fetch(const Exchange& exchange);
  void check_amplification(std::size_t octets);

  // coap_acts.cpp: what it does by itself
  void put_some();
  void freeze();
  [[nodiscard]] TopicId some_topic();
  [[nodiscard]] bool by_chance_confirmable();
  void plan(Request request);

  World& world_;
  Ledger& ledger_;
  Jury& jury_;
  CoapJury& coap_jury_;
  CoapPlan plan_;
  SeededRng rng_;
  CoapSaboteur saboteur_;
  transport::MemoryPoller poller_;
  std::unique_ptr<transport::DatagramSocket> socket_;
  ProducerId producer_ = 0;
  std::uint16_t next_id_ = 0;
  std::uint64_t next_token_ = 0;
  std::deque<Request> planned_;
  std::vector<std::unique_ptr<Exchange>> exchanges_;  // of this address, finished ones too
  std::vector<Exchange*> open_;
  std::map<std::string, Observation> observations_;  // by token
  /// Messages of the broker that were seen, and how they were answered (RFC 7252 §4.5).
  std::map<std::pair<std::uint16_t, std::uint64_t>, coap::Type> seen_;
  std::map<TopicId, std::pair<std::string, Value>> etags_;
  std::map<TopicId, Value> found_;
  Instant frozen_until_{};
  Instant next_due_ = kNever;
  Instant calm_at_{};
  std::uint64_t received_ = 0;
  // Of this address: whether it has shown that it receives, and the octets before that.
  bool proven_ = false;
  std::uint64_t octets_in_ = 0;
  std::uint64_t octets_out_ = 0;
  CoapCounts counts_;
  bool calm_ = false;
  bool loses_unconfirmed_ = false;
  bool kick_ = false;
};

}  // namespace hermod::sim
