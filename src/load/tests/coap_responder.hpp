// SPDX-License-Identifier: Apache-2.0
// A CoAP server for tests with one resource: GET, PUT, Observe. It can ignore datagrams by plan and
// answer separately.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hermod/coap/codec/message.hpp"
#include "hermod/transport/epoll.hpp"
#include "hermod/transport/udp.hpp"

namespace hermod::load {

class CoapResponder {
 public:
  struct Behaviour {
    std::function<bool(std::uint64_t)> ignores = [](std::uint64_t) { return false; };
    bool separate = false;  ///< empty ACK, then the answer in a message of its own
    bool observable = true;
    bool put_allowed = true;
    unsigned notify_every = 1;  ///< notifies of every n-th value, and always of the last
    std::uint64_t last = 0;     ///< number of PUTs after which the value is the last
  };
  explicit CoapResponder(Behaviour behaviour);

  [[nodiscard]] std::uint16_t port() const { return socket_->local().port(); }
  void run();
  void stop();

 private:
  void on_datagram(const transport::Datagram& datagram);
  void answer(const coap::MessageView& request, const transport::Address& to, coap::Code code,
              bool observe);
  void send(const transport::Address& to, coap::Type type, coap::Code code, std::uint16_t id,
            Bytes token, bool observe);
  void notify();

  Behaviour behaviour_;
  std::unique_ptr<transport::EpollPoller> poller_;
  std::unique_ptr<transport::DatagramSocket> socket_;
  std::vector<std::uint8_t> value_;
  bool exists_ = false;
  std::vector<std::pair<transport::Address, std::vector<std::uint8_t>>> observers_;
  std::uint64_t datagrams_ = 0;
  std::uint64_t puts_ = 0;
  std::uint32_t observe_ = 1;
  std::uint16_t message_id_ = 40'000;
  std::atomic<bool> stopping_ = false;
};

}  // namespace hermod::load
