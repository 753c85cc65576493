// SPDX-License-Identifier: Apache-2.0
// Servers for the clients' tests that do what a script says, on the same event loop as the client,
// so that a test runs in one thread and ends by itself.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace hermod::client {

namespace asio = boost::asio;

/// Octets that a CoAP message begins with: its header, then a token as long as the clients make it.
inline constexpr std::size_t kHeaderSize = 4;
inline constexpr std::size_t kTokenSize = 8;

/// Octets of a text of hexadecimal digits; blanks do not count.
inline std::string octets(std::string_view hex) {
  std::string out;
  std::string pair;
  for (const char c : hex) {
    if (c == ' ') continue;
    pair += c;
    if (pair.size() < 2) continue;
    out += static_cast<char>(std::stoi(pair, nullptr, 16));
    pair.clear();
  }
  return out;
}

/// Runs until everything is over; a test that takes longer fails.
inline void run(asio::io_context& io) {
  io.restart();
  io.run_for(std::chrono::seconds(20));
  EXPECT_TRUE(io.stopped()) << "something did not end";
}

/// Runs what can run without waiting for time to pass.
inline void run_ready(asio::io_context& io) {
  io.restart();
  for (int idle = 0; idle < 3;) idle = io.poll() == 0 ? idle + 1 : 0;
}

/// Accepts one connection and follows a script: what must come, and what is then sent; more
/// connections, one after the other, where the script says so.
class ScriptedTcpServer {
 public:
  using Socket = asio::ip::tcp::socket;

  explicit ScriptedTcpServer(asio::io_context& io)
      : acceptor_(io, {asio::ip::address_v4::loopback(), 0}), socket_(io) {
    accept();
  }
  ~ScriptedTcpServer() { EXPECT_TRUE(steps_.empty()) << steps_.size() << " steps are left"; }

  [[nodiscard]] std::uint16_t port() const { return port_; }

  /// These octets must come next.
  ScriptedTcpServer& expects(std::string_view hex) {
    steps_.emplace_back([this, wanted = octets(hex)] { read(wanted); });
    return *this;
  }
  ScriptedTcpServer& sends(std::string_view hex) { return sends_raw(octets(hex)); }
  ScriptedTcpServer& sends_raw(std::string data) {
    steps_.emplace_back([this, data = std::move(data)] {
      output_ = data;
      asio::async_write(socket_, asio::buffer(output_),
                        [this](boost::system::error_code, std::size_t count) {
                          written_ += count;
                          next();
                        });
    });
    return *this;
  }
  /// Calls `what` when the script has come this far.
  ScriptedTcpServer& then(std::function<void()> what) {
    steps_.emplace_back([this, what = std::move(what)] {
      what();
      next();
    });
    return *this;
  }
  ScriptedTcpServer& closes() {
    steps_.emplace_back([this] {
      socket_.close();
      next();
    });
    return *this;
  }
  /// The client must close its side without sending anything more.
  ScriptedTcpServer& expects_end() {
    steps_.emplace_back([this] {
      socket_.async_read_some(asio::buffer(input_, 1),
                              [this](boost::system::error_code error, std::size_t) {
                                EXPECT_TRUE(error) << "an octet instead of the end";
                                socket_.close();
                                next();
                              });
    });
    return *this;
  }
  /// Drops the connection, if it is still there, and waits for the next.
  ScriptedTcpServer& accepts() {
    ++connections_left_;
    steps_.emplace_back([this] {
      socket_ = Socket(acceptor_.get_executor());
      accept();
    });
    return *this;
  }
  [[nodiscard]] std::size_t written() const { return written_; }
  /// Nobody is to come.
  void stop() { acceptor_.close(); }

 private:
  void accept() {
    acceptor_.async_accept(socket_, [this](boost::system::error_code error) {
      if (error == asio::error::operation_aborted) return;
      ASSERT_FALSE(error);
      if (connections_left_-- == 0) acceptor_.close();
      next();
    });
  }
  void read(const std::string& wanted) {
    input_.resize(std::max(wanted.size(), std::size_t{1}));
    asio::async_read(
        socket_, asio::buffer(input_, wanted.size()),
        [this, wanted](boost::system::error_code error, std::size_t count) {
          EXPECT_EQ(testing::PrintToString(input_.substr(0, count)), testing::PrintToString(wanted))
              << error.message();
          if (!error) next();
        });
  }
  void next() {
    if (steps_.empty()) return;
    auto step = std::move(steps_.front());
    steps_.pop_front();
    step();
  }

  asio::ip::tcp::acceptor acceptor_;
  std::uint16_t port_ = acceptor_.local_endpoint().port();
  Socket socket_;
  std::deque<std::function<void()>> steps_;
  std::string input_ = std::string(1, '\0');
  std::string output_;
  std::size_t written_ = 0;
  std::size_t connections_left_ = 0;
};

/// Answers each datagram with what a function makes of it.
class ScriptedUdpServer {
 public:
  using Answer = std::function<std::vector<std::string>(const std::string& request)>;

  ScriptedUdpServer(asio::io_context& io, Answer answer)
      : socket_(io, {asio::ip::address_v4::loopback(), 0}), answer_(std::move(answer)) {
    read();
  }

  [[nodiscard]] std::uint16_t port() const { return socket_.local_endpoint().port(); }
  /// Sends to who asked last.
  void send(const std::string& datagram) { socket_.send_to(asio::buffer(datagram), peer_); }
  void stop() { socket_.close(); }

 private:
  void read() {
    socket_.async_receive_from(asio::buffer(input_), peer_,
                               [this](boost::system::error_code error, std::size_t count) {
                                 if (error) return;
                                 for (const auto& out : answer_({input_.data(), count})) send(out);
                                 if (socket_.is_open()) read();
                               });
  }

  asio::ip::udp::socket socket_;
  Answer answer_;
  asio::ip::udp::endpoint peer_;
  std::array<char, 2048> input_{};
};

}  // namespace hermod::client
