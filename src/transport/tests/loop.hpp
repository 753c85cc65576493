// SPDX-License-Identifier: Apache-2.0
// What the tests of this module share: bounded waiting, octets, addresses.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hermod/base/bytes.hpp"
#include "hermod/base/time.hpp"
#include "hermod/transport/address.hpp"
#include "hermod/transport/epoll.hpp"
#include "hermod/transport/poller.hpp"
#include "hermod/transport/stream.hpp"

namespace hermod::transport {

inline constexpr Token kListener = 1;
inline constexpr Token kClient = 2;
inline constexpr Token kServer = 3;

using std::chrono::milliseconds;
using std::chrono::seconds;

/// How long a test waits for what must come, and for what must not.
inline constexpr Duration kPatience = seconds(10);
inline constexpr Duration kGlance = milliseconds(20);

inline Address loopback(std::uint16_t port = 0) {
  return Address::v4({127, 0, 0, 1}, port);
}

inline std::unique_ptr<EpollPoller> make_poller() {
  return std::move(EpollPoller::open().value());
}

/// Polls until `done` or the end of patience; hands it what has happened to `token` since the call.
inline bool wait_for(Poller& poller, Token token, const std::function<bool(const Event&)>& done) {
  const SystemClock clock;
  const Instant end = clock.now() + kPatience;
  Event seen{.token = token};
  while (!done(seen)) {
    const Instant now = clock.now();
    if (now >= end) return false;
    for (const Event& event : poller.wait(end - now)) {
      if (event.token != token) continue;
      seen.readable |= event.readable;
      seen.writable |= event.writable;
    }
  }
  return true;
}

inline bool wait_readable(Poller& poller, Token token) {
  return wait_for(poller, token, [](const Event& event) { return event.readable; });
}
inline bool wait_writable(Poller& poller, Token token) {
  return wait_for(poller, token, [](const Event& event) { return event.writable; });
}

inline IoResult write_text(Stream& stream, std::string_view text) {
  const Bytes piece = as_bytes(text);
  return stream.write({&piece, 1});
}

inline IoResult read_text(Stream& stream, std::size_t count_max, std::string& out) {
  std::vector<std::uint8_t> octets(count_max);
  const IoResult result = stream.read(octets);
  out = as_text(Bytes(octets).first(result.count));
  return result;
}

inline std::vector<std::uint8_t> pattern(std::size_t size) {
  std::vector<std::uint8_t> out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(i * 131 + i / 251);
  return out;
}

}  // namespace hermod::transport
