// SPDX-License-Identifier: Apache-2.0
#include "probe.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <thread>

#include "hermod/coap/codec/writer.hpp"
#include "hermod/mqtt/codec/publish.hpp"
#include "hermod/transport/tcp.hpp"
#include "hermod/transport/udp.hpp"
#include "mqtt_link.hpp"

namespace hermod::load {
namespace {

using std::chrono::milliseconds;

constexpr int kPortTries = 32;
constexpr Duration kTryEvery = milliseconds{20};
constexpr Duration kVersionPatience = milliseconds{300};
// A retained message follows SUBACK at once, if there is one.
constexpr Duration kRetainedPatience = milliseconds{50};

bool accepts(const transport::Address& address) {
  const auto stream = transport::connect_tcp(address);
  if (!stream) return false;
  int error = transport::connect_error(**stream);
  for (int i = 0; i < 10 && error == EINPROGRESS; ++i) {
    std::this_thread::sleep_for(milliseconds{1});
    error = transport::connect_error(**stream);
  }
  return error == 0;
}

// An Empty Confirmable message asks for a Reset.
void ping(transport::DatagramSocket& socket, const transport::Address& to) {
  std::uint8_t* const out = socket.reserve(coap::kHeaderSize);
  (void)coap::write_head(out, coap::Type::kCon, coap::code::kEmpty, 1, {});
  socket.commit(coap::kHeaderSize, to);
  socket.flush();
}

class VersionLink final : public MqttLink {
 public:
  VersionLink()
      : MqttLink({.client_id = "hermod-bench", .filters = FilterSet::one("$SYS/broker/version")}) {}
  std::string version;

 private:
  std::size_t on_packets(Bytes bytes, Turn&) override {
    const auto header = mqtt::read_fixed_header(bytes);
    if (!header || header->packet_size() > bytes.size()) return 0;
    if (header->type == mqtt::PacketType::kPublish) {
      const auto publish =
          mqtt::read_publish(*header, bytes.subspan(header->header_size, header->remaining_length),
                             mqtt::Version::kV311);
      if (publish) version = as_text(publish->payload);
    }
    return header->packet_size();
  }
};

}  // namespace

std::expected<std::uint16_t, std::string> free_port() {
  std::string why;
  for (int attempt = 0; attempt < kPortTries; ++attempt) {
    const auto listener = transport::listen_tcp(transport::Address::v4({127, 0, 0, 1}, 0), {});
    if (!listener) return std::unexpected(listener.error());
    const transport::Address address = (*listener)->local();
    const auto socket = transport::bind_udp(address, {});
    if (socket) return address.port();
    why = socket.error();
  }
  return std::unexpected(why);
}

transport::Address client_address(const transport::Address& server) {
  using transport::Address;
  if (server.family() == Address::Family::kV6) {
    std::array<std::uint8_t, 16> octets{};
    if (server.is_loopback()) octets = server.octets();
    return Address::v6(octets, 0);
  }
  return server.is_loopback() ? Address::v4({127, 0, 0, 1}, 0) : Address::v4({0, 0, 0, 0}, 0);
}

std::expected<void, std::string> wait_for_answer(Url::Scheme scheme,
                                                 const transport::Address& address,
                                                 Duration patience,
                                                 const std::function<std::string()>& why) {
  std::unique_ptr<transport::DatagramSocket> socket;
  if (scheme == Url::Scheme::kCoap) {
    auto bound = transport::bind_udp(client_address(address), {});
    if (!bound) return std::unexpected(bound.error());
    socket = std::move(*bound);
  }
  const SystemClock clock;
  const Instant deadline = clock.now() + patience;
  for (;;) {
    if (socket == nullptr && accepts(address)) return {};
    if (socket != nullptr) ping(*socket, address);
    std::this_thread::sleep_for(kTryEvery);
    if (socket != nullptr && !socket->receive().empty()) return {};
    if (std::string reason = why(); !reason.empty()) return std::unexpected(std::move(reason));
    if (clock.now() > deadline) {
      return std::unexpected(fmt::format("the server at {} does not answer", address.to_text()));
    }
  }
}

std::string mqtt_server_version(const transport::Address& address) {
  auto poller = transport::EpollPoller::open();
  if (!poller) return {};
  const SystemClock clock;
  Tally tally;
  std::string fault;
  std::array<std::uint8_t, 4096> scratch{};
  Turn turn{.poller = poller->get(),
            .tally = &tally,
            .clock = &clock,
            .scratch = scratch,
            .fault = &fault};
  VersionLink link;
  link.connect(address, 0, turn);
  Instant deadline = clock.now() + kVersionPatience;
  while (link.version.empty() && fault.empty() && clock.now() < deadline) {
    const bool was_ready = link.ready();
    for (const transport::Event& event : (*poller)->wait(deadline - clock.now())) {
      link.on_event(event, turn);
    }
    if (link.ready() && !was_ready) deadline = clock.now() + kRetainedPatience;
  }
  link.disconnect(turn);
  return link.version;
}

}  // namespace hermod::load
