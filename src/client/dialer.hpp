// SPDX-License-Identifier: Apache-2.0
// From what MqttOptions says of the server to a connected socket: its own address, name servers, a
// proxy, a socket file. It knows nothing of MQTT.
//
//   own address --> whom to try: SRV records | the proxy | the server --> resolve, connect; the
//   next one if that fails --> what the proxy wants to know --> done
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "hermod/client/mqtt_client.hpp"
#include "socks.hpp"
#include "srv.hpp"

namespace hermod::client {

class Dialer : public std::enable_shared_from_this<Dialer> {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;
  using Done = std::move_only_function<void(error_code, Socket)>;

  /// `options` must live as long as it may still call `done`.
  Dialer(boost::asio::any_io_executor executor, const MqttOptions& options, Done done);
  ~Dialer();
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;

  void start();
  /// From here on `done` is not called any more.
  void cancel();

 private:
  using Endpoints = std::vector<boost::asio::ip::tcp::endpoint>;
  struct Target {
    std::string host;
    std::uint16_t port = 0;
  };

  void connect_to_file();
  void find_targets();
  void look_up_service();
  void on_service(std::expected<std::vector<SrvTarget>, Error> found);
  void try_next(error_code last);
  void connect_from_own(Endpoints peers, error_code last);
  void on_connected(error_code error);
  void say(std::string octets);
  void listen();
  void finish(error_code error);

  boost::asio::any_io_executor executor_;
  const MqttOptions& options_;
  Done done_;  // empty: it is over
  boost::asio::ip::tcp::resolver resolver_;
  boost::asio::ip::tcp::socket socket_;
  Endpoints own_;               // empty: any address
  std::deque<Target> targets_;  // still to be tried
  std::optional<SocksHandshake> handshake_;
  std::string said_;
  std::vector<std::uint8_t> heard_;
  std::thread lookup_;  // the resolver of libc blocks
};

}  // namespace hermod::client
