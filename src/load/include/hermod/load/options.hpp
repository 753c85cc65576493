// SPDX-License-Identifier: Apache-2.0
// What one benchmark measures and against which server: plain values, their defaults by scenario,
// and the command line that says the same again. Knows neither sockets nor protocols.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/base/time.hpp"
#include "hermod/load/url.hpp"

namespace hermod::load {

/// The shapes of load.
enum class Scenario : std::uint8_t {
  kFanIn,        ///< many publishers, few subscribers that see everything
  kFanOut,       ///< few publishers, many subscribers that see everything
  kPairs,        ///< publisher i reaches subscriber i alone
  kLatency,      ///< pairs at a fixed rate: open loop, intended send times
  kConnect,      ///< connect, CONNACK, disconnect, over and over
  kIdle,         ///< connected, subscribed clients that do nothing
  kCoapGet,      ///< GET of one resource
  kCoapPut,      ///< PUT of a resource of its own for each client
  kCoapObserve,  ///< one client PUTs, the others observe the resource
};

/// "fan-in", "coap-observe", ...
[[nodiscard]] std::string_view to_text(Scenario scenario);
/// The scenario with that name; the error names the known ones.
[[nodiscard]] std::expected<Scenario, std::string> scenario_named(std::string_view name);
[[nodiscard]] bool is_coap(Scenario scenario);
/// True for the scenarios that publish through an MQTT server and count what arrives.
[[nodiscard]] bool is_flow(Scenario scenario);
/// True where publisher i reaches subscriber i alone.
[[nodiscard]] bool is_paired(Scenario scenario);

/// The versions of MQTT that the load speaks.
enum class MqttVersion : std::uint8_t { k311, k5 };

/// "3.1.1", "5".
[[nodiscard]] std::string_view to_text(MqttVersion version);
/// The version of that name; 311 and 5.0 are understood as well. Error in words.
[[nodiscard]] std::expected<MqttVersion, std::string> mqtt_version_named(std::string_view name);

/// Who misbehaves beside the flow.
enum class NeighbourKind : std::uint8_t {
  kNone,
  kSlow,       ///< subscribes to everything and never reads
  kHuge,       ///< publishes 1 MiB, and again as soon as its subscriber has it
  kMalicious,  ///< connects over and over and breaks the protocol
};

/// "none", "slow", "huge", "malicious".
[[nodiscard]] std::string_view to_text(NeighbourKind neighbour);
/// The neighbour of that name; the error names the known ones.
[[nodiscard]] std::expected<NeighbourKind, std::string> neighbour_named(std::string_view name);

/// Everything that can be asked for. Zero in a count means "the scenario's default", which
/// resolve() fills in.
struct Options {
  Scenario scenario = Scenario::kFanOut;
  Url url;

  unsigned publishers = 0;
  unsigned subscribers = 0;  ///< pairs: as many as publishers
  unsigned clients = 0;      ///< connect: at a time; idle, coap-*: how many (observers)

  unsigned topics = 0;  ///< distinct ones that the publishers cycle over; 0: one each
  bool exact = false;   ///< subscribe to each topic instead of a wildcard
  unsigned groups = 0;  ///< fan-in, fan-out: subscribers form so many shared subscriptions; 0: none

  bool lasting = false;  ///< subscribers' sessions outlive their connections

  unsigned filters = 0;  ///< wildcard subscriptions to other topics, placed before the load
  unsigned churn = 0;    ///< subscribes a second of a client of its own, during the load
  NeighbourKind neighbour = NeighbourKind::kNone;

  unsigned window = 0;     ///< messages that a publisher is ahead of its slowest subscriber
  unsigned inflight = 20;  ///< unacknowledged PUBLISH of a publisher at QoS 1 and 2
  MqttVersion mqtt = MqttVersion::k311;
  unsigned qos = 0;             ///< of PUBLISH and of the subscription
  unsigned payload_bytes = 16;  ///< at least kPayloadMin
  double rate = 0;              ///< latency: messages a second, all publishers together

  Duration warmup = std::chrono::milliseconds{500};
  Duration duration = std::chrono::seconds{2};
  Duration drain = std::chrono::seconds{5};  ///< at most that long for what is under way at the end
  std::uint64_t messages = 0;  ///< not 0: each publisher (or requester) sends that many, then ends

  unsigned threads = 1;          ///< generator threads
  std::vector<int> cpus;         ///< generator thread i runs on cpus[i % size]; empty: anywhere
  std::vector<int> server_cpus;  ///< the server's threads are confined to these; empty: untouched
  int pid = 0;                   ///< the server's process; 0: unknown
  std::string spawn;             ///< command that starts the server; "{port}" is replaced
  unsigned repeat = 1;
  bool json = false;
};

/// Octets that a payload needs for publisher number and sequence.
inline constexpr unsigned kPayloadMin = 12;
/// A PUBLISH of the load fits in a read buffer.
inline constexpr unsigned kPayloadMax = 128 * 1024;
/// Distinct topics of all publishers.
inline constexpr unsigned kTopicsMax = 1'000'000;
/// Subscriptions with --exact, all subscribers together.
inline constexpr unsigned kExactMax = 2'000'000;
inline constexpr unsigned kFiltersMax = 1'000'000;
inline constexpr unsigned kChurnMax = 100'000;
/// CoAP without block-wise transfer.
inline constexpr unsigned kCoapPayloadMax = 1024;

/// Fills the scenario's defaults in and checks that the values go together. The error says which
/// option is wrong and what would be right.
[[nodiscard]] std::expected<Options, std::string> resolve(Options options);

/// The command that repeats the measurement, quoted for a POSIX shell.
[[nodiscard]] std::string command_line(const Options& options);

}  // namespace hermod::load
