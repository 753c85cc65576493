// SPDX-License-Identifier: Apache-2.0
// One observer of the load (RFC 7641): registers with GET, acknowledges Confirmable notifications,
// and accounts for the values it sees. A server may skip values for later ones (RFC 7641 §1.3), but
// the last one has to come (§4.4).
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "flows.hpp"
#include "hermod/coap/codec/message.hpp"
#include "hermod/coap/codec/uri.hpp"
#include "hermod/load/histogram.hpp"
#include "hermod/load/tracker.hpp"
#include "hermod/transport/udp.hpp"
#include "send_times.hpp"
#include "share.hpp"

namespace hermod::load {

/// The publisher in payloads that no observer counts: the value that the resource begins with.
inline constexpr std::uint32_t kNobody = 0xFFFFFFFF;

class CoapObserver {
 public:
  CoapObserver(const coap::Uri& uri, unsigned number, const transport::Address& server,
               Flows& flows, const SendTimes& send_times);

  /// Binds the socket and registers. Error in words.
  [[nodiscard]] std::expected<void, std::string> open(transport::Token token, Turn& turn);
  void on_readable(Turn& turn);
  /// Registers again while no answer has come.
  void look_for_silence(Turn& turn);
  /// Takes the registration back (RFC 7641 §3.6); nobody waits for the answer.
  void leave();

  [[nodiscard]] const SequenceTracker& tracker() const { return tracker_; }
  [[nodiscard]] const Histogram& delays() const { return delays_; }

 private:
  void send_get(std::uint32_t observe);
  void on_datagram(Bytes datagram, Turn& turn);
  void on_notification(const coap::MessageView& message, Turn& turn);
  void on_value(Bytes payload, Turn& turn);

  coap::Uri uri_;
  unsigned number_;
  transport::Address server_;
  Flows& flows_;
  const SendTimes& send_times_;
  std::unique_ptr<transport::DatagramSocket> socket_;
  std::uint16_t next_message_id_ = 1;
  bool registered_ = false;
  Instant asked_at_{};
  Instant read_at_{};
  SequenceTracker tracker_;
  Histogram delays_;
};

}  // namespace hermod::load
