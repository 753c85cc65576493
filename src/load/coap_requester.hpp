// SPDX-License-Identifier: Apache-2.0
// One CoAP client of the load: a socket and a window of Confirmable requests under way (RFC 7252
// §4.2, §5.2). Answers are matched by token; what is not answered is sent again, and given up after
// MAX_RETRANSMIT. Faster than EXCHANGE_LIFETIME allows, it uses Message IDs again (RFC 7252 §4.4):
// a load of more than 265 requests a second from one peer cannot do otherwise.
//
//   request:  kFree -CON-> kWaiting -answer-> kFree
//                          kWaiting -empty ACK-> kPromised -answer-> kFree    (RFC 7252 §5.2.2)
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flows.hpp"
#include "hermod/coap/codec/message.hpp"
#include "hermod/coap/codec/uri.hpp"
#include "hermod/load/histogram.hpp"
#include "hermod/transport/udp.hpp"
#include "send_times.hpp"
#include "share.hpp"

namespace hermod::load {

struct RequestPlan {
  coap::Code method = coap::code::kGet;
  coap::Type type = coap::Type::kCon;
  coap::Uri uri;
  std::uint32_t number = 0;    ///< publisher in the payload
  unsigned payload_bytes = 0;  ///< 0: no payload
  unsigned window = 1;
  std::uint64_t requests = 0;  ///< not 0: that many in all
  bool counted = true;         ///< its answers are the operations that are measured
  Flows* flows = nullptr;      ///< told what was sent, before it is
  SendTimes* send_times = nullptr;
};

/// Options and payload of a request, in their order on the wire. `observe`: value of the Observe
/// option (RFC 7641 §2), none without.
[[nodiscard]] std::vector<std::uint8_t> request_body(const coap::Uri& uri,
                                                     std::optional<std::uint32_t> observe,
                                                     Bytes payload);

class CoapRequester {
 public:
  CoapRequester(RequestPlan plan, const transport::Address& server);

  /// Binds the socket. Error in words.
  [[nodiscard]] std::expected<void, std::string> open(transport::Token token, Turn& turn);
  void on_readable(Turn& turn);
  /// Sends requests up to number `limit` (exclusive) as far as the window allows. Returns how many.
  std::uint64_t request(std::uint64_t limit, Turn& turn);
  /// Sends again what has waited too long. Cheap to call often.
  void look_for_silence(Turn& turn);

  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  [[nodiscard]] std::uint64_t answered() const { return answered_; }
  /// Of the last answer that was no success; empty without one.
  [[nodiscard]] coap::Code refusal() const { return refusal_; }
  [[nodiscard]] std::uint64_t given_up() const { return given_up_; }
  [[nodiscard]] std::uint64_t under_way() const { return plan_.window - free_.size(); }
  [[nodiscard]] bool complete() const { return plan_.requests != 0 && sent_ == plan_.requests; }
  [[nodiscard]] const Histogram& round_trips() const { return round_trips_; }

 private:
  enum class State : std::uint8_t { kFree, kWaiting, kPromised };
  struct Exchange {
    State state = State::kFree;
    std::uint8_t attempts = 0;
    std::uint16_t generation = 0;
    std::uint16_t message_id = 0;
    std::uint64_t sequence = 0;
    Instant first_sent{};
    Instant resend_at{};
  };

  void send(std::size_t index, Instant now);
  void on_datagram(Bytes datagram, Turn& turn);
  void on_answer(const coap::MessageView& message, Turn& turn);
  void on_signal(const coap::MessageView& message, Turn& turn);
  void finish(Exchange& exchange);

  RequestPlan plan_;
  transport::Address server_;
  std::unique_ptr<transport::DatagramSocket> socket_;
  std::vector<std::uint8_t> body_;
  std::vector<Exchange> exchanges_;
  std::vector<std::uint16_t> free_;
  std::uint16_t next_message_id_ = 1;
  std::uint64_t sent_ = 0;
  std::uint64_t answered_ = 0;
  std::uint64_t given_up_ = 0;
  coap::Code refusal_;
  Instant looked_at_{};
  Instant read_at_{};
  Histogram round_trips_;
};

}  // namespace hermod::load
