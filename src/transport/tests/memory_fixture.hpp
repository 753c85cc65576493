// SPDX-License-Identifier: Apache-2.0
// A stream connection and a pair of datagram sockets in memory, for the tests of that network.
#pragma once

#include <fmt/format.h>

#include <cstring>

#include "hermod/transport/memory.hpp"
#include "loop.hpp"

namespace hermod::transport {

inline const Address kBroker = Address::v4({10, 0, 0, 1}, 1883);
inline const Address kDevice = Address::v4({10, 0, 0, 2}, 0);

struct Connection {
  MemoryNetwork network;
  MemoryPoller poller{network};
  std::unique_ptr<StreamListener> listener;
  std::unique_ptr<Stream> client;
  std::unique_ptr<Stream> server;

  explicit Connection(const MemoryOptions& options = {}) : network(options) {
    listener = std::move(network.listen(kBroker).value());
    EXPECT_TRUE(poller.add(*listener, kListener));
    client = network.connect(kBroker, kDevice);
    EXPECT_TRUE(poller.add(*client, kClient));
    while (network.next_due() != kNever) network.advance_to(network.next_due());
    int error = 0;
    server = listener->accept(error);
    EXPECT_NE(server, nullptr);
    EXPECT_TRUE(poller.add(*server, kServer));
    (void)poller.wait(Duration::zero());
  }

  void settle() {
    while (network.next_due() != kNever) network.advance_to(network.next_due());
  }
  /// What one wait() tells, as "3rw 2w".
  std::string events() {
    std::string out;
    for (const Event& event : poller.wait(Duration::zero())) {
      if (!out.empty()) out += ' ';
      out +=
          fmt::format("{}{}{}", event.token, event.readable ? "r" : "", event.writable ? "w" : "");
    }
    return out;
  }
};

inline std::string read_all(Stream& stream) {
  std::string out;
  std::string part;
  while (read_text(stream, 64, part).status == IoResult::Status::kDone) out += part;
  return out;
}

inline const Address kThere = Address::v4({10, 0, 0, 1}, 5683);

struct Line {
  MemoryNetwork network;
  std::unique_ptr<DatagramSocket> here = std::move(network.bind(kDevice).value());
  std::unique_ptr<DatagramSocket> there = std::move(network.bind(kThere).value());

  explicit Line(const MemoryOptions& options) : network(options) {}

  void send(std::string_view text) {
    std::memcpy(here->reserve(text.size()), text.data(), text.size());
    here->commit(text.size(), kThere);
    here->flush();
  }
  /// Lets everything arrive; "text@milliseconds" of each, in order of arrival.
  std::vector<std::string> arrivals() {
    std::vector<std::string> out;
    const auto take = [&] {
      for (const Datagram& datagram : there->receive()) {
        const auto at = (network.now() - Instant()) / milliseconds(1);
        out.push_back(fmt::format("{}@{}", as_text(datagram.bytes), at));
      }
    };
    take();
    while (network.next_due() != kNever) {
      network.advance_to(network.next_due());
      take();
    }
    return out;
  }
};

}  // namespace hermod::transport
