// SPDX-License-Identifier: Apache-2.0
// The language of the session fuzz target's inputs: a role, then operations of one octet with
// operands. Everything is legal input: unknown operations are taken modulo their number, and
// missing operands are 0. The seeds are written in it.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "hermod/base/bytes.hpp"
#include "hermod/testkit/seeds.hpp"

namespace hermod::coap::test {

enum class Op : std::uint8_t {
  kDatagram,  ///< length, octets: any datagram
  kMessage,   ///< type, code, id, token, path, observe, payload length, payload
  kEmpty,     ///< type, which: an Empty message for one of the last messages of the session
  kAnswer,    ///< which, reason: one of the effects that want an answer
  kDeliver,   ///< topic, guarantee and retain, payload length, payload
  kAdvance,   ///< index into a table of durations; deadlines on the way are met
  kRequest,   ///< client role: method, path, flags, payload length
  kCancel,    ///< client role: ticket
  kRespond,   ///< client role: which, type, code, observe, payload length, payload
  /// client role: which, type, code, which options (1 ETag, 2 Observe, 4 Block2, 8 Block1, 16
  /// Size2, 32 Echo), value of each block, payload length, payload
  kRespondBlock,
  kCount,
};

/// Puts an input together.
class Input {
 public:
  explicit Input(bool client) { octets.push_back(client ? 1 : 0); }
  Input& op(Op op, std::initializer_list<int> operands = {}, std::string_view text = {}) {
    octets.push_back(static_cast<std::uint8_t>(op));
    for (const int operand : operands) octets.push_back(static_cast<std::uint8_t>(operand));
    if (!text.empty()) octets.push_back(static_cast<std::uint8_t>(text.size()));
    octets.insert(octets.end(), text.begin(), text.end());
    return *this;
  }
  std::vector<std::uint8_t> octets;
};

// Operands by name: type, code.
inline constexpr int kConOperand = 0, kNonOperand = 1, kAckOperand = 2, kRstOperand = 3;
inline constexpr int kGetOperand = 1, kPutOperand = 3, kDeleteOperand = 4, kContentOperand = 0x45;

inline void add_client_seeds(testkit::Seeds& seeds) {
  const auto client = [] { return Input(true); };
  Input asks = client().op(Op::kRequest, {kGetOperand, 0, 1, 0});
  seeds["client_get"] =
      Input(asks).op(Op::kRespond, {0, kAckOperand, kContentOperand, 0}, "x").octets;
  seeds["client_separate"] = Input(asks)
                                 .op(Op::kEmpty, {kAckOperand, 0})
                                 .op(Op::kRespond, {0, kConOperand, kContentOperand, 0}, "x")
                                 .octets;
  seeds["client_timeout"] = Input(asks).op(Op::kAdvance, {5}).octets;
  Input observes = client()
                       .op(Op::kRequest, {kGetOperand, 0, 3, 0})
                       .op(Op::kRespond, {0, kAckOperand, kContentOperand, 1}, "x")
                       .op(Op::kRespond, {0, kNonOperand, kContentOperand, 2}, "y");
  seeds["client_observe"] = observes.octets;
  seeds["client_cancel"] = Input(observes)
                               .op(Op::kCancel, {0})
                               .op(Op::kRespond, {0, kAckOperand, kContentOperand, 0, 0})
                               .octets;
  seeds["client_renewal"] = Input(observes)
                                .op(Op::kAdvance, {5})
                                .op(Op::kRespond, {0, kAckOperand, kContentOperand, 3}, "y")
                                .octets;
  // 16 octets and more to come, then 1; a body of 20 in two blocks
  seeds["client_block2"] =
      Input(asks)
          .op(Op::kRespondBlock, {0, kAckOperand, kContentOperand, 21, 8}, "0123456789abcdef")
          .op(Op::kRespondBlock, {0, kAckOperand, kContentOperand, 5, 16}, "x")
          .octets;
  seeds["client_block1"] = client()
                               .op(Op::kRequest, {kPutOperand - 1, 0, 1, 20})
                               .op(Op::kRespondBlock, {0, kAckOperand, 0x5f, 8, 8, 0})
                               .op(Op::kRespondBlock, {0, kAckOperand, 0x44, 8, 16, 0})
                               .octets;
  seeds["client_echo"] = Input(asks)
                             .op(Op::kRespondBlock, {0, kAckOperand, 0x81, 32, 0})
                             .op(Op::kRespond, {0, kAckOperand, kContentOperand, 0}, "x")
                             .octets;
  seeds["client_observe_block2"] =
      Input(observes)
          .op(Op::kRespondBlock, {0, kNonOperand, kContentOperand, 7, 8}, "0123456789abcdef")
          .op(Op::kRespondBlock, {0, kAckOperand, kContentOperand, 5, 16}, "x")
          .octets;
  seeds["client_delivery"] =
      client().op(Op::kDeliver, {0, 1}, "x").op(Op::kRespond, {0, kAckOperand, 0x44, 0, 0}).octets;
}

/// One input per ladder of the session tests.
[[nodiscard]] inline testkit::Seeds session_seeds() {
  testkit::Seeds seeds;
  const auto server = [] { return Input(false); };
  seeds["get"] = server()
                     .op(Op::kMessage, {kConOperand, kGetOperand, 1, 1, 0, 0, 0})
                     .op(Op::kAnswer, {0, 0})
                     .octets;
  seeds["get_separate"] = server()
                              .op(Op::kMessage, {kConOperand, kGetOperand, 1, 1, 0, 0, 0})
                              .op(Op::kAdvance, {2})
                              .op(Op::kAnswer, {0, 0})
                              .op(Op::kAdvance, {3})
                              .op(Op::kEmpty, {kAckOperand, 0})
                              .octets;
  seeds["put_twice"] = server()
                           .op(Op::kMessage, {kConOperand, kPutOperand, 1, 1, 0, 0}, "34.5")
                           .op(Op::kAnswer, {0, 5})
                           .op(Op::kAnswer, {0, 0})
                           .op(Op::kMessage, {kConOperand, kPutOperand, 1, 1, 0, 0}, "34.5")
                           .octets;
  seeds["delete_non"] = server()
                            .op(Op::kMessage, {kNonOperand, kDeleteOperand, 1, 1, 0, 0, 0})
                            .op(Op::kAnswer, {0, 0})
                            .octets;
  seeds["discover"] = server().op(Op::kMessage, {kConOperand, kGetOperand, 1, 1, 3, 0, 0}).octets;
  seeds["malformed"] = server().op(Op::kDatagram, {}, "\x40\x01\x01\x01\xff").octets;
  Input observe = server()
                      .op(Op::kMessage, {kConOperand, kGetOperand, 1, 1, 0, 1, 0})
                      .op(Op::kAnswer, {0, 0})
                      .op(Op::kAnswer, {0, 0})
                      .op(Op::kAnswer, {0, 0})
                      .op(Op::kDeliver, {0, 0}, "1")
                      .op(Op::kDeliver, {0, 0}, "2");
  seeds["observe"] = observe.octets;
  seeds["observe_acknowledged"] =
      Input(observe).op(Op::kEmpty, {kAckOperand, 0}).op(Op::kDeliver, {0, 0}, "3").octets;
  seeds["observe_reset"] = Input(observe).op(Op::kEmpty, {kRstOperand, 0}).octets;
  seeds["observe_superseded"] = Input(observe).op(Op::kAdvance, {3}).octets;
  seeds["observe_unreachable"] = Input(observe).op(Op::kAdvance, {5}).octets;
  seeds["observe_deleted"] = Input(observe).op(Op::kDeliver, {0, 4, 0}).octets;
  seeds["observe_cancelled"] = Input(observe)
                                   .op(Op::kMessage, {kConOperand, kGetOperand, 2, 1, 0, 2, 0})
                                   .op(Op::kAnswer, {0, 0})
                                   .octets;
  seeds["observe_two_topics"] = Input(observe)
                                    .op(Op::kMessage, {kConOperand, kGetOperand, 2, 2, 1, 1, 0})
                                    .op(Op::kAnswer, {0, 0})
                                    .op(Op::kAnswer, {0, 0})
                                    .op(Op::kDeliver, {1, 1}, "x")
                                    .octets;
  add_client_seeds(seeds);
  return seeds;
}

}  // namespace hermod::coap::test
