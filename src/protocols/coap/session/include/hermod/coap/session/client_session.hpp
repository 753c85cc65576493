// SPDX-License-Identifier: Apache-2.0
// The client's end of CoAP with one server over UDP: requests with retransmission (RFC 7252 §4.2,
// §5.3), and observations with their order and renewal (RFC 7641 §3). Knows no socket, no clock and
// no application.
//
//   kQueued --NSTART allows--> kSent --Empty ACK--> kWaiting --response--> over: Completed
//                               |  ^                    |
//              response: over --+  | renewal            +-- too late: Completed, kTimeout
//              Observe: kObserving-+   (Max-Age is over)
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
#include "hermod/coap/codec/content_format.hpp"
#include "hermod/coap/codec/message.hpp"
#include "hermod/coap/session/convert.hpp"
#include "hermod/coap/session/observe.hpp"
#include "hermod/coap/session/reliability.hpp"
#include "hermod/coap/session/token.hpp"
#include "hermod/session/session.hpp"

namespace hermod::coap {

struct ClientSettings {
  TransmissionParameters transmission;  ///< nstart: requests without any answer at a time
  /// How long a response may take after the request was acknowledged, or, Non-confirmable, sent.
  Duration response_timeout = std::chrono::seconds{30};
  /// Requests that are not over, the waiting ones too.
  std::size_t requests_max = 4096;
  /// Largest datagram sent.
  std::size_t datagram_bytes_max = 4096;
};

/// A request to make. Borrowed for the call.
struct ClientRequest {
  Code method = code::kGet;
  std::span<const std::string> path;   ///< Uri-Path, segment by segment
  std::span<const std::string> query;  ///< Uri-Query, argument by argument
  std::string_view uri_host;           ///< empty: none (RFC 7252 §6.4 says when)
  Bytes payload;
  std::optional<ContentFormat> content_format;
  std::optional<ContentFormat> accept;
  std::optional<std::uint32_t> max_age_s;  ///< of a value that is put: this server's extension
  bool confirmable = true;
  bool observe = false;  ///< GET only
};

class ClientSession final : public session::Session {
 public:
  /// Both outlive the session.
  ClientSession(const ClientSettings& settings, Rng& rng);

  void on_open(Instant now, session::Effects& effects) override;
  void on_datagram(Bytes datagram, Instant now, session::Effects& effects) override;
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

  /// Sends a request, or lets it wait for its turn. False, and nothing happens, when full() or when
  /// it does not fit in a datagram.
  [[nodiscard]] bool request(const ClientRequest& request, session::Ticket ticket, Instant now,
                             session::Effects& effects);
  /// Ends an observation (RFC 7641 §3.6); one Completed follows. False when there is none.
  [[nodiscard]] bool cancel(session::Ticket ticket, Instant now, session::Effects& effects);

  /// As many requests are under way as requests_max allows.
  [[nodiscard]] bool full() const;
  /// Requests that are not over.
  [[nodiscard]] std::size_t open() const { return exchanges_.size() - free_.size() - over_.size(); }

 private:
  enum class State : std::uint8_t { kFree, kQueued, kSent, kWaiting, kObserving };
  /// How the end of an exchange is told.
  enum class Outcome : std::uint8_t { kComplete, kSettle, kSilent };

  struct Exchange {
    State state = State::kFree;
    Type type = Type::kCon;
    Outcome outcome = Outcome::kComplete;
    bool observe = false;
    bool registered = false;  ///< the server has confirmed the observation
    bool cancelling = false;
    std::uint16_t index = 0;
    std::uint16_t message_id = 0;
    std::uint16_t observe_at = 0;  ///< where the Observe option stands in the datagram
    Token token;
    session::Ticket ticket = 0;
    model::Tag tag = 0;
    Instant due = kNever;  ///< response timeout, or renewal
    Retransmission timer;
    NotificationOrder order;
    std::uint64_t last_value = 0;  ///< hash of the last representation
    std::optional<std::uint32_t> last_sequence;
    std::vector<std::uint8_t> datagram;
    std::string topic;  ///< of what is observed, or the path when it is no topic
  };
  /// A value handed out; lives until kIncomingKept more have come.
  struct Incoming {
    model::Message message;
    model::Properties properties;
    std::optional<ContentTypeText> content_type;
  };
  /// What the options of a response say.
  struct ResponseOptions {
    std::optional<std::uint32_t> observe;
    std::optional<ContentFormat> format;
    std::uint32_t max_age_s = kMaxAgeDefaultS;
    Bytes etag;
    bool critical = false;  ///< one that must be understood and is not
  };
  static constexpr std::size_t kIncomingKept = 128;
  static constexpr std::size_t kRecentKept = 16;

  [[nodiscard]] static ResponseOptions read_options(const MessageView& message);
  [[nodiscard]] Exchange* start(const ClientRequest& request, Instant now,
                                session::Effects& effects);
  [[nodiscard]] Exchange* take();
  void encode(Exchange& exchange, const ClientRequest& request);
  void start_queued(Instant now, session::Effects& effects);
  void send(Exchange& exchange, Instant now, session::Effects& effects);
  void answered(Exchange& exchange);
  void finish(Exchange& exchange, model::Reason reason, Code code, const model::Message* value,
              session::Effects& effects);
  [[nodiscard]] Exchange* find(Bytes token);
  [[nodiscard]] Exchange* find_sent(std::uint16_t message_id);
  void reject(const MessageView& message, session::Effects& effects);
  void on_separate(const MessageView& message, Instant now, session::Effects& effects);
  void on_response(Exchange& exchange, const MessageView& message, const ResponseOptions& options,
                   Instant now, session::Effects& effects);
  void on_observe_response(Exchange& exchange, const MessageView& message,
                           const ResponseOptions& options, bool is_reply, Instant now,
                           session::Effects& effects);
  [[nodiscard]] const model::Message& keep(const Exchange& exchange, const MessageView& message,
                                           const ResponseOptions& options, Instant now);
  void on_due(Exchange& exchange, Instant now, session::Effects& effects);
  void recycle();

  const ClientSettings& settings_;
  Rng& rng_;
  MessageIds message_ids_;
  std::vector<std::unique_ptr<Exchange>> exchanges_;
  std::vector<std::uint16_t> free_;
  std::vector<std::uint16_t> over_;  // free from the next input on: effects may still borrow
  std::vector<std::uint16_t> queue_;
  std::size_t queue_begin_ = 0;
  std::size_t unanswered_ = 0;  // sent, neither acknowledged nor answered
  std::vector<std::unique_ptr<Incoming>> incoming_;
  std::size_t next_incoming_ = 0;
  std::vector<std::uint16_t> recent_;  // message ids of confirmable responses acknowledged last
  std::size_t next_recent_ = 0;
  Instant due_ = kNever;
};

}  // namespace hermod::coap
