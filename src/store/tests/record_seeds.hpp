// SPDX-License-Identifier: Apache-2.0
// What fuzzing begins with: a record of each kind, and messages of many shapes.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "hermod/testkit/seeds.hpp"
#include "message_record.hpp"
#include "record_samples.hpp"
#include "settlement_records.hpp"
#include "state_record.hpp"

namespace hermod::store::samples {

/// The kind, then the body, as the fuzz target takes them.
[[nodiscard]] inline std::vector<std::uint8_t> seed_of(const Draft& draft) {
  std::vector<std::uint8_t> seed;
  seed.push_back(static_cast<std::uint8_t>(draft.kind));
  for (const Bytes piece : {draft.front, draft.payload}) {
    for (const std::uint8_t octet : piece) seed.push_back(octet);
  }
  return seed;
}

[[nodiscard]] inline testkit::Seeds record_seeds() {
  testkit::Seeds seeds;
  RunEncoder encoder;
  const std::vector<std::uint32_t> ids{1, 70'000};
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    const MessageSample sample(seed);
    model::Message message = sample.message();
    message.payload = message.payload.first(std::min<std::size_t>(message.payload.size(), 20));
    const model::Message* const run[] = {&message};
    const std::vector<core::Recipient> to{
        {.queue = 3, .tag = 70'000, .count = 1},
        {.queue = 900, .tag = 2, .count = 1, .subscription_ids = ids}};
    if (seed % 3 == 0) message.origin.exchange = core::exchange_of(8, 500);
    const auto drafts = encoder.encode({.messages = run,
                                        .recipients = std::span(to).first(seed % 3),
                                        .moved_from = {seed % 4 == 1 ? 70'000u : 0u, seed}},
                                       {});
    seeds["message-" + std::to_string(seed)] = seed_of(drafts[0]);
    seeds["value-" + std::to_string(seed)] = seed_of(encoder.encode_value(message, {}));
  }
  Scratch scratch;
  const std::vector<Settled> settled{{5, 1, 1}, {5, 3, 900}, {2, 0, 70'000}};
  const std::vector<Released> released{{9, 8}, {3, 70'000}};
  const std::vector<Closed> closed{{core::exchange_of(9, 8)}, {core::exchange_of(3, 65'535)}};
  seeds["settled"] = seed_of(draft_settled(settled, scratch));
  seeds["released"] = seed_of(draft_released(released, scratch));
  seeds["closed"] = seed_of(draft_closed(closed, scratch));
  StateWriter writer;
  writer.begin({.shard = 1, .boot = 500, .segment = 3});
  seeds["state-empty"] = seed_of(writer.draft(true));
  writer.add({.queue = 900,
              .floor = 7,
              .next = 1'000,
              .settled = {{8, 8}, {12, 500}},
              .released = {7, 9, 900},
              .exchanges = {{.packet_id = 65'535, .complete = true},
                            {.packet_id = 1, .queues = {4, 900}}}});
  writer.add({.queue = 4, .floor = 10, .next = 10});
  seeds["state"] = seed_of(writer.draft(false));
  return seeds;
}

}  // namespace hermod::store::samples
