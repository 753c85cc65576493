// SPDX-License-Identifier: Apache-2.0
// What a CoAP client has learnt of a topic by asking and observing, as the oracles see it: which
// value it holds, and at once whether it may have been told that (RFC 7641 §3.4, §4.4).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ledger.hpp"
#include "trace.hpp"

namespace hermod::sim {

/// What a representation stands for.
struct Value {
  enum class Kind : std::uint8_t {
    kNone,     ///< the topic has no value
    kMessage,  ///< the payload of a publication
  };
  Kind kind = Kind::kNone;
  PublicationId id = 0;
  bool operator==(const Value&) const = default;
};

[[nodiscard]] std::string describe(const Ledger& ledger, const Value& value);

class Observer {
 public:
  Observer(std::string name, TopicId topic, const Ledger& ledger, Trace& trace)
      : name_(std::move(name)), topic_(topic), ledger_(ledger), trace_(trace) {}

  /// A response or a notification of the observation, with its sequence number. False when a newer
  /// one came before it.
  bool told(std::uint32_t sequence, const Value& value, Instant now);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] TopicId topic() const { return topic_; }
  /// The freshest value; nothing before the first.
  [[nodiscard]] const std::optional<Value>& value() const { return value_; }

 private:
  [[nodiscard]] bool is_newer(std::uint32_t sequence, Instant now) const;
  [[nodiscard]] bool is_older(const Value& value, const Value& than, Instant now) const;

  std::string name_;
  TopicId topic_;
  const Ledger& ledger_;
  Trace& trace_;
  std::optional<Value> value_;
  std::optional<Value> told_;  ///< by the last number; an event's topic may say "no value"
  std::uint32_t sequence_ = 0;
  Instant at_{};
};

}  // namespace hermod::sim
