// SPDX-License-Identifier: Apache-2.0
// A client's exchanges with one CoAP server: a ClientSession, the socket it speaks through, and the
// operations that wait for it. Lives as long as anything refers to it.
#pragma once

#include <array>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "hermod/base/rng.hpp"
#include "hermod/base/time.hpp"
#include "hermod/client/coap_client.hpp"
#include "hermod/session/effects.hpp"

namespace hermod::client {

class CoapConnection : public std::enable_shared_from_this<CoapConnection>,
                       private session::DatagramSink {
 public:
  CoapConnection(boost::asio::any_io_executor executor, CoapOptions options);

  [[nodiscard]] boost::asio::any_io_executor executor() { return socket_.get_executor(); }

  // The operations of CoapClient.
  void connect(Handler<void(error_code)> handler);
  void request(Handler<void(error_code, CoapResponse)> handler, const coap::ClientRequest& request);
  void observe(Handler<void(error_code, CoapObservation)> handler, const CoapPath& path);
  void ping(Handler<void(error_code)> handler);
  void cancel(Handler<void(error_code)> handler, CoapObservation observation);
  void receive(Handler<void(error_code, CoapNotification)> handler);
  void close() { finish(Error::kClosed); }

 private:
  enum class State : std::uint8_t { kIdle, kConnecting, kOpen, kClosed };

  /// Who waits for a Completed.
  struct Exchange {
    Handler<void(error_code, CoapResponse)> request;
    Handler<void(error_code, CoapObservation)> observe;
    Handler<void(error_code)> cancel;
    Handler<void(error_code)> ping;
    bool observing = false;  ///< `request` is a registration
    bool observed = false;   ///< the server has registered it
  };
  struct Incoming {
    error_code error;
    CoapNotification notification;
  };

  template <typename Input>
  void run(Input input);
  void execute_effects();
  void execute(session::Publish& publish);
  void execute(const session::Completed& completed);
  void finish_request(Exchange& exchange, const session::Completed& completed);
  void finish_observation(Exchange& exchange, const session::Completed& completed);
  void enqueue(Incoming incoming);
  void hand_over();

  // session::DatagramSink
  [[nodiscard]] std::uint8_t* reserve(std::size_t count_max) override;
  void commit(std::size_t count) override;

  [[nodiscard]] error_code refusal() const;
  [[nodiscard]] error_code open_next();
  void read();
  void on_refused(error_code error);
  void arm_timer();
  void finish(error_code error);

  static constexpr std::size_t kDatagramMax = 65'536;

  CoapOptions options_;
  SystemRng rng_;
  SystemClock clock_;
  coap::ClientSession session_;
  session::EffectList effects_;
  State state_ = State::kIdle;

  boost::asio::ip::udp::socket socket_;
  boost::asio::ip::udp::resolver resolver_;
  boost::asio::steady_timer timer_;
  Instant armed_for_ = kNever;
  std::vector<std::uint8_t> input_;
  std::vector<std::uint8_t> output_;  // the datagram that was sent last
  std::size_t output_size_ = 0;
  std::deque<boost::asio::ip::udp::endpoint> endpoints_;  // not tried yet

  Handler<void(error_code)> connect_handler_;
  Handler<void(error_code, CoapNotification)> receive_handler_;
  std::unordered_map<session::Ticket, Exchange> exchanges_;
  session::Ticket last_ticket_ = 0;
  std::deque<Incoming> incoming_;
};

}  // namespace hermod::client
