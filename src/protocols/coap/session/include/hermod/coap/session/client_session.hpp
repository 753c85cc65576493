// SPDX-License-Identifier: Apache-2.0
// The client's end of CoAP with one server over UDP: requests with retransmission (RFC 7252 §4.2,
// §5.3), bodies in blocks both ways (RFC 7959), Echo and Request-Tag (RFC 9175), and observations
// with their order and renewal (RFC 7641 §3). Knows no socket, no clock and no application.
//
//   kQueued --NSTART allows--> kSent --Empty ACK--> kWaiting --response--> over: Completed
//    ^  |                       |  ^                    |
//    |  +--<- next block, Echo -+  | renewal            +-- too late: Completed, kTimeout
//    |         Observe: kObserving-+   (Max-Age is over)
//
//   ClientSession session(settings, rng);
//   session.request({.path = path_of_topic("a/b")}, ticket, now, effects);   // later: Completed
//   session.request({.path = ..., .observe = true}, ticket, now, effects);
//       // later: Completed with kOk once the server observes for us, Publish for each value, and
//       // Completed with another reason when the observation has ended by itself
//   session.on_deliveries(batch, now, effects);   // a PUT per message, later: Settle
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hermod/base/rng.hpp"
#include "hermod/coap/codec/message.hpp"
#include "hermod/coap/session/client_request.hpp"
#include "hermod/coap/session/convert.hpp"
#include "hermod/coap/session/reliability.hpp"
#include "hermod/session/session.hpp"

namespace hermod::coap {

struct BodyAssembly;
struct ClientExchange;
struct ObservedState;
struct Notified;
struct ResponseOptions;

class ClientSession final : public session::Session {
 public:
  /// Both outlive the session.
  ClientSession(const ClientSettings& settings, Rng& rng);
  ~ClientSession() override;

  void on_open(Instant now, session::Effects& effects) override;
  void on_datagram(const session::Datagram& datagram, Instant now,
                   session::Effects& effects) override;
  /// PUTs each message to its topic's resource, or DELETEs it when the payload is empty. The
  /// outcome of those above "at most once" comes as Settle, with credit.
  void on_deliveries(const model::DeliveryBatch& batch, Instant now,
                     session::Effects& effects) override;
  /// Nothing here asks for answers.
  void on_answers(std::span<const session::Answer> answers, Instant now,
                  session::Effects& effects) override;
  void on_deadline(Instant now, session::Effects& effects) override;
  void on_close(model::Reason reason, Instant now, session::Effects& effects) override;
  [[nodiscard]] Instant next_deadline() const override { return due_; }

  /// Sends a request, or lets it wait for its turn. False, and nothing happens, when full(), when
  /// its options do not fit in a datagram, its body is above body_bytes_max or its token is in use.
  /// Completed tells the response's code and reason, with an empty code when none came: kTimeout;
  /// kTooLarge, a body above body_bytes_max; kUnavailable, a body that changed again and again
  /// while it was read; kPeerClosed, a Reset; kProtocolError, nonsense. Where No-Response lets
  /// success be silent, it is kOk with an empty code: when sent, if no response at all is wanted of
  /// a Non-confirmable request, when acknowledged, if of a Confirmable one; else after the response
  /// timeout.
  [[nodiscard]] bool request(const ClientRequest& request, session::Ticket ticket, Instant now,
                             session::Effects& effects);
  /// Asks whether the server is there: an Empty Confirmable message, whose Reset is the answer
  /// (RFC 7252 §4.3 "CoAP ping"). Completed with kOk or kTimeout. False when full().
  [[nodiscard]] bool ping(session::Ticket ticket, Instant now, session::Effects& effects);
  /// Ends an observation (RFC 7641 §3.6); one Completed follows. False when there is none.
  [[nodiscard]] bool cancel(session::Ticket ticket, Instant now, session::Effects& effects);

  /// The options of the response or notification for which the last input has completed or
  /// published something under this ticket (Publish carries the observation's); empty otherwise.
  /// Of a body in blocks, those of its first block. Borrowed until the next input.
  [[nodiscard]] Options options_of(session::Ticket ticket) const;

  /// As many requests are under way as requests_max allows.
  [[nodiscard]] bool full() const;
  /// Requests that are not over.
  [[nodiscard]] std::size_t open() const { return open_; }

 private:
  using Exchange = ClientExchange;
  /// A value handed out; lives until kIncomingKept more have come.
  struct Incoming {
    model::Message message;
    model::Properties properties;
    std::optional<ContentTypeText> content_type;
  };
  /// A value as it has come, whole.
  struct Value {
    Bytes payload;
    Bytes etag;
    std::optional<ContentFormat> format;
    Type type = Type::kCon;
  };
  struct Told {
    session::Ticket ticket = 0;
    Options options;
  };
  struct Purpose;
  static constexpr std::size_t kIncomingKept = 128;
  static constexpr std::size_t kRecentKept = 16;

  // client_session.cpp: exchanges, messages, time
  [[nodiscard]] Exchange* start(const ClientRequest& request, const Purpose& purpose, Instant now,
                                session::Effects& effects);
  void open(Exchange& exchange, const Purpose& purpose);
  [[nodiscard]] Exchange& take();
  void make_token(Exchange& exchange);
  void start_queued(Instant now, session::Effects& effects);
  void send(Exchange& exchange, Instant now, session::Effects& effects);
  void send_next(Exchange& exchange);
  void release(Exchange& exchange);
  void finish(Exchange& exchange, model::Reason reason, Code code, const model::Message* value,
              Instant now, session::Effects& effects);
  void recycle();
  [[nodiscard]] bool is_token_free(Bytes token);
  [[nodiscard]] Exchange* find(Bytes token);
  [[nodiscard]] Exchange* find_sent(std::uint16_t message_id);
  void reject(const MessageView& message, session::Effects& effects);
  void on_empty(const MessageView& message, Instant now, session::Effects& effects);
  void on_separate(const MessageView& message, Instant now, session::Effects& effects);
  void on_response(Exchange& exchange, const MessageView& message, const ResponseOptions& options,
                   Instant now, session::Effects& effects);
  [[nodiscard]] const model::Message& keep(std::string_view topic, const Value& value, Instant now);
  void on_due(Exchange& exchange, Instant now, session::Effects& effects);

  // client_encoding.cpp: requests as octets
  [[nodiscard]] bool is_sendable(const ClientRequest& request) const;
  [[nodiscard]] std::uint8_t exponent_of(const ClientRequest& request) const;
  void encode(Exchange& exchange, const ClientRequest& request);
  void compose(Exchange& exchange);

  // client_blocks.cpp: bodies in blocks, Echo
  void begin_sending(Exchange& exchange, std::uint8_t exponent);
  void begin_again(Exchange& exchange);
  [[nodiscard]] bool on_echo(Exchange& exchange, const MessageView& message,
                             const ResponseOptions& options);
  [[nodiscard]] bool on_block1(Exchange& exchange, const MessageView& message,
                               const ResponseOptions& options, Instant now,
                               session::Effects& effects);
  void on_body(Exchange& exchange, const MessageView& message, const ResponseOptions& options,
               Instant now, session::Effects& effects);
  void on_block2(Exchange& exchange, const MessageView& message, const ResponseOptions& options,
                 Instant now, session::Effects& effects);
  void on_changed(Exchange& exchange, Instant now, session::Effects& effects);
  [[nodiscard]] bool append(BodyAssembly& body, const MessageView& message, const Block& block,
                            model::Reason& fault) const;
  void complete(Exchange& exchange, Instant now, session::Effects& effects);

  // client_observe.cpp
  void on_observe_response(Exchange& exchange, const MessageView& message,
                           const ResponseOptions& options, Instant now, session::Effects& effects);
  [[nodiscard]] ObservedState& state_of(Exchange& exchange, std::string_view topic);
  void show(Exchange& exchange, ObservedState& observed, const Value& value, Options options,
            const Notified& notified, Instant now, session::Effects& effects);
  void fetch_rest(Exchange& exchange, ObservedState& observed, const MessageView& message,
                  const ResponseOptions& options, const Notified& notified, Instant now,
                  session::Effects& effects);
  void stop_fetches(Exchange& exchange, std::string_view topic = {});
  void on_fetched(Exchange& fetch, Instant now, session::Effects& effects);
  void on_fetch_failed(Exchange& fetch, model::Reason reason, Instant now,
                       session::Effects& effects);

  const ClientSettings& settings_;
  Rng& rng_;
  MessageIds message_ids_;
  std::vector<std::unique_ptr<Exchange>> exchanges_;
  std::vector<std::uint16_t> free_;
  std::vector<std::uint16_t> over_;  // free from the next input on: effects may still borrow
  std::vector<std::uint16_t> queue_;
  std::size_t queue_begin_ = 0;
  std::size_t open_ = 0;        // of the application: fetches do not count
  std::size_t unanswered_ = 0;  // sent, neither acknowledged nor answered
  std::size_t own_tokens_ = 0;  // exchanges that cannot be found by their token's index
  std::vector<std::unique_ptr<Incoming>> incoming_;
  std::size_t next_incoming_ = 0;
  std::vector<std::uint16_t> recent_;  // message ids of confirmable responses acknowledged last
  std::size_t next_recent_ = 0;
  std::vector<Told> told_;
  std::vector<std::uint8_t> echo_;  // what the server gave last (RFC 9175 §2.3)
  std::uint32_t last_tag_ = 0;      // Request-Tag
  Instant probe_at_{};              // not before that a server in silence is probed again
  std::vector<OptionView> sorting_;
  Instant due_ = kNever;
};

}  // namespace hermod::coap
