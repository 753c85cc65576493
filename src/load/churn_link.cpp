// SPDX-License-Identifier: Apache-2.0
#include "churn_link.hpp"

#include <fmt/format.h>

#include <array>

#include "hermod/mqtt/codec/suback.hpp"
#include "hermod/mqtt/codec/subscribe.hpp"
#include "hermod/mqtt/codec/unsubscribe.hpp"

namespace hermod::load {
namespace {

// A server that does not answer is not flooded.
constexpr std::int64_t kUnansweredMax = 1000;
// Identifiers of SUBSCRIBE are odd, those of UNSUBSCRIBE even.
constexpr std::uint64_t kIdentifiers = 65'534;

std::uint16_t subscribe_id(std::uint64_t number) {
  return static_cast<std::uint16_t>(2 * number % kIdentifiers + 1);
}

}  // namespace

std::string ChurnLink::filter(std::uint64_t number) const {
  return fmt::format("{}/{}/{}", prefix_, number, number % 2 == 0 ? '+' : 'x');
}

Duration ChurnLink::churn(Turn& turn) {
  if (!ready()) return kTurnMax;
  const double elapsed_s =
      std::chrono::duration<double>(turn.now - turn.schedule->load_begin).count();
  const auto due = static_cast<std::uint64_t>(elapsed_s * rate_) + 1;
  while (begun_ < due && unanswered_ < kUnansweredMax) {
    send_subscribe(begun_);
    if (begun_ != 0) send_unsubscribe(begun_ - 1);
    ++begun_;
  }
  flush(turn);
  const std::chrono::duration<double> next{static_cast<double>(due) / rate_ - elapsed_s};
  return std::max(Duration{0}, std::chrono::duration_cast<Duration>(next));
}

void ChurnLink::send_subscribe(std::uint64_t number) {
  const std::string name = filter(number);
  const std::array entries{mqtt::SubscribeEntry{.filter = name}};
  const std::size_t size = mqtt::subscribe_size(entries, version());
  mqtt::write_subscribe(out().reserve(size), subscribe_id(number), entries, version());
  out().commit(size);
  add_unanswered(1);
}

void ChurnLink::send_unsubscribe(std::uint64_t number) {
  const std::string name = filter(number);
  const std::array<std::string_view, 1> filters{name};
  const std::size_t size = mqtt::unsubscribe_size(filters, version());
  const auto id = static_cast<std::uint16_t>(subscribe_id(number) + 1);
  mqtt::write_unsubscribe(out().reserve(size), id, filters, version());
  out().commit(size);
  add_unanswered(1);
}

void ChurnLink::add_unanswered(std::int64_t change) {
  unanswered_.store(unanswered_.load(std::memory_order_relaxed) + change,
                    std::memory_order_release);
}

std::size_t ChurnLink::on_packets(Bytes bytes, Turn& turn) {
  std::size_t used = 0;
  for (;;) {
    const auto header = mqtt::read_fixed_header(bytes.subspan(used), version());
    if (!header && !header.error().incomplete()) {
      close("the server sent a malformed packet", turn);
      return used;
    }
    if (!header || bytes.size() - used < header->packet_size()) return used;
    const Bytes body = bytes.subspan(used + header->header_size, header->remaining_length);
    used += header->packet_size();
    if (header->type == mqtt::PacketType::kSuback) {
      const auto suback = mqtt::read_suback(*header, body, version());
      const bool granted = suback && suback->return_codes.front() == 0;
      if (granted) ++subscribed_;
      if (!granted) turn.tally->refused.add(1);
      add_unanswered(-1);
    } else if (header->type == mqtt::PacketType::kUnsuback) {
      ++unsubscribed_;
      add_unanswered(-1);
    } else {
      turn.tally->unexpected.add(1);
    }
  }
}

void ChurnLink::on_closed(std::string_view why, Turn& turn) {
  unanswered_.store(0, std::memory_order_release);
  MqttLink::on_closed(why, turn);
}

}  // namespace hermod::load
