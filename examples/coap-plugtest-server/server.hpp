// SPDX-License-Identifier: Apache-2.0
// The socket, the clock and the peers: a datagram goes to the peer that has sent it, time to whom
// it concerns, and what has changed to all. Knows nothing of CoAP.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <map>
#include <memory>

#include "peer.hpp"

namespace plugtest {

struct ServerOptions {
  boost::asio::ip::udp::endpoint bind;
  hermod::Duration period = std::chrono::seconds{5};  ///< of what changes by itself
  std::size_t peers_max = 256;                        ///< whose datagrams are taken at a time
};

class Server {
 public:
  /// Binds; throws boost::system::system_error when that cannot be. All outlive the server.
  Server(boost::asio::io_context& io, const ServerOptions& options, Shared& shared);

  [[nodiscard]] boost::asio::ip::udp::endpoint local() const { return socket_.local_endpoint(); }

 private:
  using Endpoint = boost::asio::ip::udp::endpoint;
  static constexpr std::size_t kDatagramMax = 65'535;

  void receive();
  void stop_at_signal();
  [[nodiscard]] Peer* peer(const Endpoint& from, hermod::Instant now);
  [[nodiscard]] bool make_room();
  void go_on();
  void tell_changes(hermod::Instant now);
  void arm(hermod::Instant now);

  ServerOptions options_;
  Shared& shared_;
  hermod::SystemClock clock_;
  boost::asio::ip::udp::socket socket_;
  boost::asio::steady_timer timer_;
  boost::asio::signal_set signals_;
  std::map<Endpoint, std::unique_ptr<Peer>> peers_;
  hermod::Instant next_tick_;
  Endpoint from_;
  std::array<std::uint8_t, kDatagramMax> buffer_{};
};

}  // namespace plugtest
