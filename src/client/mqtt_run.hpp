// SPDX-License-Identifier: Apache-2.0
// The one way to give a connection's session an input.
#pragma once

#include "mqtt_connection.hpp"

namespace hermod::client {

template <typename Input>
void MqttConnection::run(Input input) {
  {
    session::Effects effects({}, filling_, effects_);
    input(clock_.now(), effects);
  }
  execute_effects();
  if (state_ == State::kClosed) return;
  flush_soon();
  arm_timer();
}

}  // namespace hermod::client
