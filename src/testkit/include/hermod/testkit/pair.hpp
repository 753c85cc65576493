// SPDX-License-Identifier: Apache-2.0
// Two sessions of opposite roles with a wire in memory between them, on one clock. What they ask of
// their owners is answered by the answerers of their hosts.
#pragma once

#include <algorithm>
#include <vector>

#include "hermod/testkit/host.hpp"

namespace hermod::testkit {

class Pair {
 public:
  Pair(session::Session& client, session::Session& server)
      : client_(client, clock_), server_(server, clock_) {}

  [[nodiscard]] FakeClock& clock() { return clock_; }
  [[nodiscard]] Host& client() { return client_; }
  [[nodiscard]] Host& server() { return server_; }

  void open() {
    server_.open();
    client_.open();
    run();
  }
  /// Carries octets both ways, at most `piece` at a time, until nothing moves. A session that wants
  /// the connection closed gets it once its octets are over.
  void run(std::size_t piece = SIZE_MAX) {
    while (step(client_, server_, piece) || step(server_, client_, piece)) {
    }
  }
  /// The wire breaks after `octets` more octets: nothing else arrives, and both ends see it.
  void break_after(std::size_t octets) { budget_ = octets; }
  void cut() {
    client_.close(model::Reason::kPeerClosed);
    server_.close(model::Reason::kPeerClosed);
  }
  void after(Duration duration) {
    const Instant end = clock_.now() + duration;
    client_.advance_to(end);
    server_.advance_to(end);
    run();
  }
  [[nodiscard]] bool closed() const { return client_.closed() || server_.closed(); }

 private:
  bool step(Host& from, Host& to, std::size_t piece) {
    if (closed()) return false;
    const std::vector<std::uint8_t> octets = from.take_output();
    for (std::size_t at = 0; at < octets.size() && !closed();) {
      const std::size_t size = std::min({piece, octets.size() - at, budget_});
      to.offer(Bytes(octets).subspan(at, size));
      at += size;
      if (budget_ != SIZE_MAX) budget_ -= size;
      if (budget_ == 0) cut();
    }
    if (from.close_wanted() && from.output().empty()) {
      from.close(*from.close_wanted());
      to.close(model::Reason::kPeerClosed);
    }
    return !octets.empty();
  }

  FakeClock clock_;
  Host client_;
  Host server_;
  std::size_t budget_ = SIZE_MAX;
};

}  // namespace hermod::testkit
