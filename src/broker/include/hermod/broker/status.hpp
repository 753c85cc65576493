// SPDX-License-Identifier: Apache-2.0
// What the broker says of itself on $SYS/broker/#, under the names that mosquitto gave these topics
// and in its number formats; docs/status.md lists them. It turns counts into texts and keeps the
// moving averages: no clock, no core.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/base/time.hpp"
#include "hermod/broker/counts.hpp"

namespace hermod::broker {

class Status {
 public:
  /// Takes a topic below "$SYS/broker/" and its new value; borrowed for the call.
  using Publish = std::function<void(std::string_view topic, std::string_view text)>;

  struct Facts {
    std::string version;
    std::uint16_t threads = 1;
    std::string durability = "ephemeral";  ///< when an acknowledgement can be relied on
    std::vector<std::string> protocols;    ///< by listener
    Instant start;
  };
  explicit Status(Facts facts) : facts_(std::move(facts)) {}

  /// Calls `publish` for every value that is new or another one than the last time. `heap_bytes`:
  /// memory in use, when it is known.
  void update(const Counts& counts, std::optional<std::uint64_t> heap_bytes, Instant now,
              const Publish& publish);

 private:
  using Averages = std::array<double, 3>;  // over 1, 5 and 15 minutes
  struct Round;
  void say_facts(Round& round) const;
  void say_counts(const Counts& counts, Round& round);
  void say_connections(const Counts& counts, Round& round) const;
  void say_loads(const Counts& counts, Round& round);

  Facts facts_;
  boost::unordered_flat_map<std::string, std::string> last_;
  std::vector<Averages> averages_;  // by load
  Counts before_;
  std::optional<Instant> updated_;
  std::uint64_t clients_maximum_ = 0;
  std::uint64_t heap_maximum_ = 0;
};

}  // namespace hermod::broker
