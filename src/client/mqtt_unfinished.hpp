// SPDX-License-Identifier: Apache-2.0
// What one connection of a session leaves to the next: messages and exchanges that are not over,
// and who waits for them.
#pragma once

#include <deque>
#include <vector>

#include "hermod/base/time.hpp"
#include "hermod/client/mqtt_client.hpp"
#include "hermod/session/effects.hpp"
#include "hermod/session/inflight.hpp"

namespace hermod::client {

/// A message on its way out.
struct MqttOutgoing {
  MqttPublication publication;
  Handler<void(error_code)> handler;  // empty: over
  Instant expires_at = kNever;
};

/// A message that came and was not handed over yet.
struct MqttIncoming {
  MqttMessage message;
  session::Ticket ticket = 0;  // 0: there is nobody to acknowledge it to
};

struct MqttUnfinished {
  session::Inflight inflight;
  std::deque<MqttOutgoing> outgoing;  // the tag of outgoing[i] is first_tag + i
  model::Tag first_tag = 1;
  model::Tag sent_until = 1;  // below it, messages may have been sent
  std::deque<Handler<void(error_code)>> released;
  std::deque<MqttIncoming> incoming;
  Handler<void(error_code, MqttMessage)> receive_handler;
};

}  // namespace hermod::client
