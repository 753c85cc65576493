// SPDX-License-Identifier: Apache-2.0
// Everything that makes one run differ from another, in one value that follows from a seed: the
// broker's limits, the network's manners, who takes part and how often what goes wrong.
#pragma once

#include <cstdint>
#include <string>

#include "hermod/base/rng.hpp"
#include "hermod/broker/settings.hpp"
#include "hermod/coap/session/settings.hpp"
#include "hermod/transport/memory.hpp"

namespace hermod::sim {

/// Who takes part.
enum class Cast : std::uint8_t {
  kMqtt,
  kCoap,
  kMixed,
  kKept,  ///< MQTT, and a broker with a store, which stops and starts
};

/// A fault of the harness itself, made on purpose to show that an oracle sees it.
enum class Sabotage : std::uint8_t {
  kNone,
  kSwapPackets,       ///< a stream delivers two PUBLISH packets in the wrong order
  kDropPacket,        ///< a PUBLISH vanishes and is acknowledged in the client's name
  kRepeatPacket,      ///< a PUBLISH arrives twice
  kDamagePayload,     ///< an octet of a payload is another one
  kWrongProperty,     ///< a PUBLISH has another property than it was given
  kLostShare,         ///< a member of a group acknowledges what vanishes
  kRepeatedShare,     ///< what a member of a group gets comes twice
  kStrayPacket,       ///< a client receives what somebody else subscribed to
  kOldRetained,       ///< a retained value is replaced by an earlier one
  kLostWill,          ///< a will vanishes and is acknowledged in the client's name
  kFalseGoodbye,      ///< a client takes its broken connection for one that it ended
  kHollowJournal,     ///< the journal says "safe" and keeps nothing
  kForgottenAck,      ///< a client does not acknowledge one message
  kForgottenSession,  ///< a client forgets the packet ids of its session
  kLingeringClient,   ///< a client stays when all have gone
  kTightLimits,       ///< the oracle holds the broker to limits that it was not given
  // CoAP
  kLostNotification,   ///< the last notifications vanish and are acknowledged in the client's name
  kStaleNotification,  ///< a notification shows an earlier value
  kStuckSequence,      ///< all notifications of an observation have one sequence number
  kGhost,              ///< a notification comes for what was cancelled long ago
  kWrongToken,         ///< an octet of a token is another one
  kLostAnswer,         ///< a request is never answered
  kTwoAnswers,         ///< a request is answered in two ways
  kStaleGet,           ///< a GET shows an earlier value
  kRevivedValue,       ///< a GET shows a value that was deleted
  kRepeatedPut,        ///< a PUT is executed twice
  kDamagedBlock,       ///< an octet of a block that is not the first is another one
  kCutBody,            ///< a body is done before its last block has come
  kNothingNew,         ///< a value is said to have changed while it was read, and has not
  kForgottenFetch,     ///< a client does not fetch the rest of what it is notified of
  // the store
  kSkippedSync,          ///< the log says "synced" and is not
  kLostRecord,           ///< messages are written damaged
  kLostValue,            ///< values of topics are written damaged
  kForgottenSettlement,  ///< what has been settled is written damaged
};

/// How likely a client does what, when it does something; any unit.
struct Weights {
  unsigned publish = 60;
  unsigned subscribe = 6;
  unsigned unsubscribe = 3;
  unsigned goodbye = 2;   ///< ends its connection as it should
  unsigned reset = 2;     ///< its connection breaks, both ends learn of it
  unsigned silence = 1;   ///< its connection breaks, nobody is told
  unsigned freeze = 2;    ///< it does nothing at all for a while
  unsigned takeover = 1;  ///< it connects anew and leaves the old connection open
};

/// The same for CoAP clients.
struct CoapWeights {
  unsigned put = 30;
  unsigned get = 25;
  unsigned remove = 4;    ///< DELETE
  unsigned observe = 12;  ///< registers, or registers again
  unsigned cancel = 4;    ///< GET with Observe 1
  unsigned forget = 2;    ///< answers the next notification with a Reset
  unsigned freeze = 1;
  unsigned restart = 1;  ///< vanishes and comes back with another address
};

/// A broker with a store, and what befalls it during the traffic.
struct Kept {
  bool on = false;
  unsigned stops = 0;               ///< clean ones, kills and power cuts
  unsigned power_cuts = 0;          ///< beside those
  unsigned fills = 0;               ///< times at which the disk has no more room, for a while
  unsigned seals = 0;               ///< syncs that fail, which only a new start mends
  unsigned damage_permille = 0;     ///< starts before which bits of the log are flipped
  unsigned mid_write_permille = 0;  ///< lives in which the power goes within a write
  /// The log is cleaned while the broker runs. Only with one stop, and clients that stay: what an
  /// open exchange of exactly once has got so far is forgotten then (docs/store.md).
  bool cleans = false;
  Duration down_max{0};  ///< between a stop and the start
  std::uint64_t segment_octets = 64u << 10;
};

struct Options {
  std::uint64_t seed = 1;
  Cast cast = Cast::kMqtt;
  Sabotage sabotage = Sabotage::kNone;

  broker::Settings broker;  ///< without listeners: the world adds them
  session::SessionLimits session;
  coap::Settings coap;  ///< of the broker's CoAP sessions
  transport::MemoryOptions network;

  /// How long the journal's writer is busy with one batch.
  Duration sync_min{0};
  Duration sync_max{0};

  unsigned mqtt_clients = 8;
  unsigned coap_clients = 0;
  unsigned state_topics = 4;  ///< all their messages are retained
  unsigned event_topics = 6;  ///< none of theirs
  Duration traffic = std::chrono::seconds{20};
  Duration act_every = std::chrono::milliseconds{400};  ///< mean pause between a client's acts
  Weights weights;
  CoapWeights coap_weights;
  Kept kept;
  unsigned non_permille = 300;     ///< CoAP requests that are Non-confirmable
  unsigned gossip_permille = 200;  ///< acknowledgements upon which another client reads at once
  unsigned burst_max = 6;          ///< messages published in one go
  unsigned big_payload_permille = 50;
  std::size_t big_payload_max = 5'000;
  std::size_t big_body_max = 5'000;  ///< the same of CoAP clients, who send it in blocks
  std::uint16_t keep_alive_s = 10;
  unsigned clean_permille = 400;            ///< clients without a lasting session
  unsigned v5_permille = 0;                 ///< clients that speak MQTT 5, the others 3.1.1
  unsigned member_permille = 0;             ///< clients that are members of a group instead
  unsigned will_permille = 500;             ///< connections with a will
  unsigned slow_answer_permille = 200;      ///< clients that take their time to acknowledge
  unsigned slow_reader_permille = 150;      ///< clients that read a few octets at a time
  unsigned several_writers_permille = 300;  ///< state topics that more than one client publishes to

  /// What the scheduler does to shards: let time pass although they could go on, turn them for
  /// nothing, hold one up for a while.
  unsigned lag_permille = 50;
  unsigned idle_turn_permille = 20;
  unsigned stall_permille = 5;
  unsigned pauses = 0;  ///< times at which the clock jumps: the whole machine was asleep
};

/// The options of a seed.
[[nodiscard]] Options make_options(Cast cast, std::uint64_t seed);

/// The options that differ from run to run, for people.
[[nodiscard]] std::string describe(const Options& options);

/// True with the given probability.
[[nodiscard]] inline bool chance(Rng& rng, unsigned permille) {
  return rng.below(1000) < permille;
}
/// Uniform in [min, max].
[[nodiscard]] inline std::uint64_t between(Rng& rng, std::uint64_t min, std::uint64_t max) {
  return min + rng.below(max - min + 1);
}
[[nodiscard]] inline Duration between(Rng& rng, Duration min, Duration max) {
  return Duration{static_cast<Duration::rep>(between(rng, static_cast<std::uint64_t>(min.count()),
                                                     static_cast<std::uint64_t>(max.count())))};
}

}  // namespace hermod::sim
