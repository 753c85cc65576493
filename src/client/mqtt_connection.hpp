// SPDX-License-Identifier: Apache-2.0
// One MQTT connection of a client: a ClientSession, the socket it speaks through, and the
// operations that wait for it. Lives as long as anything refers to it, in shared ownership with its
// own socket operations. mqtt_connection.cpp moves octets, mqtt_operations.cpp does what the user
// asks for.
//
//   kIdle --connect()--> kConnecting --CONNACK 0--> kOpen --disconnect()--> kClosing --> kClosed
//                             |                       |      DISCONNECT is written, the server
//                             +--- any failure -------+      closes, or a second has passed
//                                        |
//                                        +-> kClosed: all operations complete with the error
//
// A connection of a session that goes on (mqtt_reconnector.hpp) differs in three things: it begins
// with what the one before it left, takes publications before it is open, and leaves what is not
// over when it ends.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "dialer.hpp"
#include "hermod/base/output.hpp"
#include "hermod/base/time.hpp"
#include "hermod/client/mqtt_client.hpp"
#include "hermod/mqtt/session/flow.hpp"
#include "hermod/session/effects.hpp"
#include "mqtt_unfinished.hpp"

namespace hermod::client {

class MqttConnection : public std::enable_shared_from_this<MqttConnection> {
 public:
  /// Told, by post, why a connection has ended whose session goes on.
  using EndHandler = std::move_only_function<void(error_code)>;

  MqttConnection(boost::asio::any_io_executor executor, MqttOptions options,
                 MqttUnfinished unfinished = {});

  // --- for a session that goes on ---

  /// Before connect(). Publications that wait when it ends are kept; of QoS 0, only if the last
  /// argument says so. None leave before send_waiting().
  void outlast(EndHandler on_end, bool keeps_at_most_once);
  [[nodiscard]] bool outlasted() const { return static_cast<bool>(on_end_); }
  [[nodiscard]] bool ended() const { return state_ == State::kClosed; }
  [[nodiscard]] error_code why_ended() const { return ended_; }
  void send_waiting();
  /// Once, after it has ended.
  [[nodiscard]] MqttUnfinished take_unfinished();
  /// Nothing follows: all operations complete with the error.
  void give_up(error_code error);

  [[nodiscard]] const mqtt::ClientSession& session() const { return session_; }
  [[nodiscard]] boost::asio::any_io_executor executor() { return socket_.get_executor(); }

  // The operations of MqttClient.
  void connect(Handler<void(error_code, bool)> handler);
  void publish(Handler<void(error_code)> handler, MqttPublication publication);
  void subscribe(Handler<void(error_code, MqttGrants)> handler,
                 const std::vector<MqttSubscription>& subscriptions,
                 const MqttRequestProperties& properties);
  void unsubscribe(Handler<void(error_code)> handler, const std::vector<std::string>& filters,
                   const MqttRequestProperties& properties);
  void reauthenticate(Handler<void(error_code)> handler);
  void receive(Handler<void(error_code, MqttMessage)> handler);
  void disconnect(Handler<void(error_code)> handler, const MqttFarewell& farewell);
  void close() { finish(Error::kClosed, model::Reason::kShutdown); }

 private:
  enum class State : std::uint8_t { kIdle, kConnecting, kOpen, kClosing, kClosed };

  /// A message of QoS 0 that is over once `mark` octets have been written.
  struct Unwritten {
    std::uint64_t mark = 0;
    Handler<void(error_code)> handler;
  };
  struct Request {
    Handler<void(error_code, MqttGrants)> subscribe;
    Handler<void(error_code)> unsubscribe;  // and of a new authentication
    MqttGrants grants;
    std::size_t missing = 0;
  };

  // --- octets: mqtt_connection.cpp ---
  void on_dialed(error_code error, Dialer::Socket socket);
  void on_connected(error_code error);
  void read();
  void on_read(error_code error, std::size_t count);
  void offer();
  void flush_soon();
  void flush();
  void complete_written();
  void on_written(error_code error, std::size_t count);
  void trace_sent(std::size_t count);
  [[nodiscard]] std::size_t trace(bool sent, Bytes octets) const;
  void write_last_words();
  void linger();
  void arm_timer();
  void on_timer();
  [[nodiscard]] Instant deadline() const;
  void finish(error_code error, model::Reason reason);

  // --- session and operations: mqtt_operations.cpp ---
  /// Gives the session one input, executes what it wants, and sends what follows from it.
  template <typename Input>
  void run(Input input);
  void execute_effects();
  void execute(session::Publish& publish);
  void execute(const session::Credit& credit);
  void execute(const session::Settle& settle);
  void execute(const session::Opened& opened);
  void execute(const session::Completed& completed);
  void execute(const session::Close& close);
  void begin_with_unfinished(bool session_present);
  [[nodiscard]] bool deliver_outgoing();
  [[nodiscard]] std::size_t next_run(Instant now);
  [[nodiscard]] bool is_over(std::size_t index, Instant now);
  [[nodiscard]] bool was_sent(std::size_t index);
  void settle(model::Tag tag, model::Outcome outcome, std::uint8_t code);
  [[nodiscard]] bool v5() const { return options_.session.version == mqtt::Version::kV5; }
  [[nodiscard]] error_code fault(const MqttPublication& publication) const;
  void forget_finished();
  void hand_over();
  void fail_operations(error_code error);
  void fail_requests(error_code error);
  void leave_operations(error_code error);

  [[nodiscard]] std::uint64_t octets_queued() const {
    return octets_written_ + writing_.size() + filling_.size();
  }
  [[nodiscard]] bool paused() const;

  MqttOptions options_;
  mqtt::ClientSession session_;
  SystemClock clock_;
  session::EffectList effects_;
  State state_ = State::kIdle;
  error_code refused_;  // what CONNACK said
  error_code ended_;    // why, in kClosed

  Dialer::Socket socket_;
  std::shared_ptr<Dialer> dialer_;  // makes the socket
  boost::asio::steady_timer timer_;
  Instant armed_for_ = kNever;
  Instant connect_until_ = kNever;
  Instant linger_until_ = kNever;

  std::vector<std::uint8_t> input_;  // read and not consumed, then free room
  std::size_t input_size_ = 0;
  std::size_t read_at_ = 0;  // where the read under way puts its octets
  bool reading_ = false;
  Output filling_;                      // what the session writes
  Output writing_;                      // what the socket is writing
  std::vector<std::uint8_t> untraced_;  // sent, and not yet a whole packet
  bool write_pending_ = false;
  bool flush_posted_ = false;
  std::uint64_t octets_written_ = 0;

  EndHandler on_end_;
  bool keeps_at_most_once_ = false;
  bool waiting_held_ = false;  // until send_waiting()
  bool left_ = false;          // what is not over belongs to the next connection

  std::deque<MqttOutgoing> outgoing_;  // the tag of outgoing_[i] is first_tag_ + i
  model::Tag first_tag_ = 1;
  model::Tag next_tag_ = 1;    // of the first message that was not given to the session
  model::Tag sent_until_ = 1;  // below it, messages may have been sent on an earlier connection
  std::uint32_t credit_ = 0;
  std::uint32_t credit_unearned_ = 0;     // that comes first, and for no exchange that is over
  std::size_t released_surplus_ = 0;      // exchanges whose end brings no credit
  std::vector<model::Message> messages_;  // of one batch
  std::deque<mqtt::HubProperties> properties_;  // of one batch
  std::vector<model::Delivery> deliveries_;     // of one batch
  std::deque<Unwritten> unwritten_;
  std::deque<Handler<void(error_code)>> released_;  // QoS 2 after PUBREC, oldest first

  std::deque<MqttIncoming> incoming_;
  std::unordered_map<session::Ticket, Request> requests_;
  session::Ticket last_ticket_ = 0;
  Handler<void(error_code, bool)> connect_handler_;
  Handler<void(error_code, MqttMessage)> receive_handler_;
  Handler<void(error_code)> disconnect_handler_;
};

}  // namespace hermod::client
