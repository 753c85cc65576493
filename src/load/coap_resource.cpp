// SPDX-License-Identifier: Apache-2.0
#include "coap_resource.hpp"

#include <fmt/format.h>

#include <cstring>
#include <optional>

#include "coap_observer.hpp"
#include "coap_requester.hpp"
#include "hermod/coap/codec/writer.hpp"
#include "payload.hpp"
#include "probe.hpp"

namespace hermod::load {
namespace {

constexpr int kTries = 3;
constexpr Duration kPatience = std::chrono::seconds{1};

// One request and its answer's code; nothing when none came.
std::optional<coap::Code> ask(const Target& target, const coap::Uri& uri, coap::Code method,
                              Bytes payload) {
  const auto socket = transport::bind_udp(client_address(target.address), {});
  const auto poller = transport::EpollPoller::open();
  if (!socket || !poller || !(*poller)->add(**socket, 0)) return std::nullopt;
  const std::vector<std::uint8_t> body = request_body(uri, std::nullopt, payload);
  const std::size_t size = coap::kHeaderSize + body.size();
  const SystemClock clock;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    std::uint8_t* const out =
        coap::write_head((*socket)->reserve(size), coap::Type::kCon, method, 1, {});
    std::memcpy(out, body.data(), body.size());
    (*socket)->commit(size, target.address);
    (*socket)->flush();
    const Instant deadline = clock.now() + kPatience;
    while (clock.now() < deadline) {
      (void)(*poller)->wait(deadline - clock.now());
      for (const transport::Datagram& datagram : (*socket)->receive()) {
        const auto message = coap::decode(datagram.bytes);
        if (message && message->code.is_response()) return message->code;
      }
    }
  }
  return std::nullopt;
}

}  // namespace

std::expected<coap::Uri, std::string> resource(const Target& target, const std::string& suffix) {
  Url url = target.options.url;
  if (url.path.empty()) url.path = fmt::format("ps/data/hb/{}{}", target.run_name, suffix);
  auto uri = coap::parse_uri(url.to_text());
  if (!uri) return std::unexpected(fmt::format("{}: {}", url.to_text(), uri.error().reason));
  return std::move(*uri);
}

void put_first_value(const Target& target, const coap::Uri& uri, bool only_if_absent) {
  if (only_if_absent) {
    const auto code = ask(target, uri, coap::code::kGet, {});
    if (code && code->is_success()) return;
  }
  std::vector<std::uint8_t> payload(target.options.payload_bytes, 'x');
  write_stamp(payload.data(), {kNobody, 0});
  (void)ask(target, uri, coap::code::kPut, payload);
}

}  // namespace hermod::load
