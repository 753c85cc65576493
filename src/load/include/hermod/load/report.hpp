// SPDX-License-Identifier: Apache-2.0
// What a benchmark found: the figures of each run, their medians, and their two forms, one for
// people and one for programs.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/load/options.hpp"

namespace hermod::load {

/// Quantiles of a duration, in microseconds.
struct Quantiles {
  std::uint64_t count = 0;
  double p50_us = 0;
  double p90_us = 0;
  double p99_us = 0;
  double p999_us = 0;
  double max_us = 0;
};

/// Processor time of the server during the measured time.
struct ServerUse {
  double cpu_s = 0;
  double utilisation = 0;  ///< 1: one core all the time
  double per_cpu_s = 0;    ///< operations per processor second
};

/// Resident memory of the server around an idle run, in octets.
struct ServerMemory {
  std::uint64_t before = 0;
  std::uint64_t after = 0;
  double per_connection = 0;
};

/// Exact counts over the whole run, warm-up and drain included.
struct Counts {
  std::uint64_t sent = 0;      ///< messages or requests that the load produced
  std::uint64_t expected = 0;  ///< deliveries that they should cause
  std::uint64_t received = 0;  ///< different deliveries (or answers) that came
  std::uint64_t lost = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;
  std::uint64_t skipped = 0;  ///< coap-observe: values replaced by later ones (RFC 7641 §1.3)
  std::uint64_t unacknowledged = 0;      ///< QoS 1 and 2: PUBLISH without the end of its exchange
  std::uint64_t retransmitted = 0;       ///< CoAP requests sent again (RFC 7252 §4.2)
  std::uint64_t refused = 0;             ///< answers that are not a success
  std::uint64_t unexpected = 0;          ///< messages and answers that nobody had asked for
  std::uint64_t disconnected = 0;        ///< connections that the server ended
  std::uint64_t churn_subscribed = 0;    ///< --churn: acknowledged subscribes
  std::uint64_t churn_unsubscribed = 0;  ///< and unsubscribes
  std::uint64_t neighbour_connections = 0;
  std::uint64_t neighbour_packets = 0;  ///< huge: that arrived; malicious: sent, whole or not
  std::uint64_t neighbour_bytes = 0;    ///< of those
  std::uint64_t neighbour_ended = 0;    ///< malicious: connections that the server ended
  std::uint64_t stalls = 0;             ///< windows forgiven after a second without progress
};

/// One run.
struct Measurement {
  double seconds = 0;            ///< measured time
  std::uint64_t operations = 0;  ///< deliveries, connections or answers in it
  double per_second = 0;
  Counts counts;
  std::optional<ServerUse> server;
  std::optional<ServerMemory> memory;
  /// latency: from the intended send time. Closed loops of MQTT: from the append to the parse, by
  /// one message of each read, weighed with the messages of the read. coap: round trip.
  std::optional<Quantiles> latency;
  std::optional<Quantiles> lateness;  ///< of the sends of an open loop
  double generator_cpu_s = 0;         ///< all generator threads
  double generator_utilisation = 0;   ///< of the busiest generator thread
  bool generator_limited = false;     ///< the load, not the server, set the pace
};

/// Where it was measured.
struct Machine {
  std::string processor;
  unsigned cores = 0;
  std::string kernel;
};
[[nodiscard]] Machine this_machine();

struct Report {
  Options options;
  Machine machine;
  std::string hermod_version;
  std::string server;  ///< what the server says of itself; empty when it says nothing
  std::vector<Measurement> runs;
};

/// Median, least and greatest of some values; zeros when there are none.
struct Spread {
  double median = 0;
  double min = 0;
  double max = 0;
};
[[nodiscard]] Spread spread(std::vector<double> values);

/// The noun for Measurement::operations: "deliveries", "connections", "requests", ...
[[nodiscard]] std::string_view operation_noun(Scenario scenario);

/// "fan-out 1:100 QoS 0, 16 octets, window 256".
[[nodiscard]] std::string describe(const Options& options);

/// Version of the JSON form; it changes when a field changes its name or meaning.
inline constexpr int kReportFormat = 2;

/// One JSON object, without a newline.
[[nodiscard]] std::string to_json(const Report& report);
/// A few lines for a person, ending with the command that repeats the measurement.
[[nodiscard]] std::string summary(const Report& report);
/// "1.234 M", "56.7 k", "890".
[[nodiscard]] std::string short_number(double value);

}  // namespace hermod::load
