// SPDX-License-Identifier: Apache-2.0
// Messages of every shape, from a seed.
#pragma once

#include <bit>
#include <deque>
#include <string>
#include <variant>
#include <vector>

#include "hermod/base/rng.hpp"
#include "hermod/model/message.hpp"

namespace hermod::store::samples {

/// A message with anything that a message may have; owns its octets.
class MessageSample {
 public:
  explicit MessageSample(std::uint64_t seed) : rng_(seed) {
    using Kind = model::Destination::Kind;
    message_.destination.kind = static_cast<Kind>(rng_.below(3));
    message_.destination.address = text(60);
    if (message_.destination.kind == Kind::kExchange) message_.destination.routing_key = text(20);
    message_.payload = as_bytes(text(coin() ? 80 : 3'000));
    message_.guarantee = static_cast<model::Guarantee>(rng_.below(3));
    message_.retain = coin();
    message_.origin.protocol = static_cast<std::uint8_t>(rng_.next());
    if (coin()) message_.origin.client = static_cast<std::uint32_t>(rng_.next());
    if (coin()) message_.version = rng_.next() >> rng_.below(64);
    if (coin()) {
      message_.expires_at = Instant{std::chrono::milliseconds(rng_.below(1'000'000'000'000))};
    }
    if (coin()) add_properties();
  }
  MessageSample(const MessageSample&) = delete;
  MessageSample(MessageSample&&) = delete;

  [[nodiscard]] const model::Message& message() const { return message_; }

 private:
  bool coin() { return rng_.below(2) == 0; }
  // There, perhaps empty.
  std::string_view text(std::size_t max) {
    std::string& text = texts_.emplace_back();
    for (std::size_t left = rng_.below(max + 1); left > 0; --left) {
      text += static_cast<char>(rng_.next());
    }
    return text;
  }
  std::string_view perhaps(std::size_t max) { return coin() ? text(max) : std::string_view{}; }

  void add_properties() {
    properties_.content_type = perhaps(20);
    properties_.reply_to = perhaps(20);
    properties_.correlation = octets(perhaps(20));
    properties_.message_id = perhaps(20);
    properties_.etag = octets(perhaps(8));
    if (coin()) properties_.timestamp_ms = static_cast<std::int64_t>(rng_.next());
    if (coin()) properties_.priority = static_cast<std::uint8_t>(rng_.next());
    properties_.text = coin();
    for (std::uint64_t left = rng_.below(6); left > 0; --left) user_.push_back({text(9), value()});
    properties_.user = user_;
    message_.properties = &properties_;
  }
  static Bytes octets(std::string_view text) {
    return text.data() == nullptr ? Bytes{} : as_bytes(text);
  }
  model::UserProperty::Value value() {
    switch (rng_.below(5)) {
      case 0:
        return perhaps(30);
      case 1:
        return octets(perhaps(30));
      case 2:
        return static_cast<std::int64_t>(rng_.next());
      case 3:
        return static_cast<double>(rng_.next()) / -3.0;
      default:
        return coin();
    }
  }

  SeededRng rng_;
  std::deque<std::string> texts_;
  std::vector<model::UserProperty> user_;
  model::Properties properties_;
  model::Message message_;
};

/// Not there is something else than empty.
[[nodiscard]] inline bool same(std::string_view a, std::string_view b) {
  return (a.data() == nullptr) == (b.data() == nullptr) && a == b;
}
[[nodiscard]] inline bool same(Bytes a, Bytes b) {
  return same(as_text(a), as_text(b));
}

[[nodiscard]] inline bool same(const model::UserProperty& a, const model::UserProperty& b) {
  if (a.name != b.name || a.value.index() != b.value.index()) return false;
  if (const auto* text = std::get_if<std::string_view>(&a.value)) {
    return same(*text, std::get<std::string_view>(b.value));
  }
  if (const auto* octets = std::get_if<Bytes>(&a.value)) {
    return same(*octets, std::get<Bytes>(b.value));
  }
  if (const auto* number = std::get_if<std::int64_t>(&a.value)) {
    return *number == std::get<std::int64_t>(b.value);
  }
  if (const auto* real = std::get_if<double>(&a.value)) {
    // By their bits: what is not a number is not itself.
    return std::bit_cast<std::uint64_t>(*real) ==
           std::bit_cast<std::uint64_t>(std::get<double>(b.value));
  }
  return std::get<bool>(a.value) == std::get<bool>(b.value);
}

/// What of a message that is kept is not the same; "": nothing.
[[nodiscard]] inline std::string difference(const model::Message& a, const model::Message& b) {
  if (a.destination.kind != b.destination.kind) return "kind";
  if (a.destination.address != b.destination.address) return "address";
  if (a.destination.routing_key != b.destination.routing_key) return "routing key";
  if (as_text(a.payload) != as_text(b.payload)) return "payload";
  if (a.guarantee != b.guarantee) return "guarantee";
  if (a.retain != b.retain) return "retain";
  if (a.origin.protocol != b.origin.protocol) return "protocol";
  if (a.origin.client != b.origin.client) return "client";
  if (a.version != b.version) return "version";
  if (a.expires_at != b.expires_at) return "expiry";
  if ((a.properties == nullptr) != (b.properties == nullptr)) return "properties";
  if (a.properties == nullptr) return "";
  const model::Properties& p = *a.properties;
  const model::Properties& q = *b.properties;
  if (!same(p.content_type, q.content_type)) return "content type";
  if (!same(p.reply_to, q.reply_to)) return "reply to";
  if (!same(p.correlation, q.correlation)) return "correlation";
  if (!same(p.message_id, q.message_id)) return "message id";
  if (!same(p.etag, q.etag)) return "etag";
  if (p.timestamp_ms != q.timestamp_ms) return "timestamp";
  if (p.priority != q.priority) return "priority";
  if (p.text != q.text) return "text";
  if (p.user.size() != q.user.size()) return "number of user properties";
  for (std::size_t i = 0; i < p.user.size(); ++i) {
    if (!same(p.user[i], q.user[i])) return "user property";
  }
  return "";
}

}  // namespace hermod::store::samples
