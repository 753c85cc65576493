// SPDX-License-Identifier: Apache-2.0
// How a shard calls a session; a template shared by the shard's source files, not for others.
#pragma once

#include "hermod/broker/shard.hpp"

namespace hermod::broker {

template <typename Input>
void Shard::with_session(Connection& connection, session::EffectList& list, Input&& input) {
  if (!connection.stream) {
    sending_ = &connection;
    session::Effects effects{id_of(connection), static_cast<session::DatagramSink&>(*this), list};
    input(*connection.session, effects);
    sending_ = nullptr;
    rearm(connection);
    return;
  }
  if (!connection.output) connection.output = outputs_.take();
  const std::size_t before = connection.output->size();
  session::Effects effects{id_of(connection), *connection.output, list};
  input(*connection.session, effects);
  counters_.packets_received += effects.received();
  counters_.packets_sent += effects.sent();
  if (connection.output->empty()) {
    outputs_.give(std::move(connection.output));
  } else {
    const std::size_t size = connection.output->size();
    if (size - before > effects.patient() || size >= kLingerBytes) {
      mark_dirty(connection);
    } else {
      let_linger(connection);
    }
    if (connection.output->size() > settings_.connections.output_soft_bytes) {
      connection.congested = true;
      if (connection.attached()) core_.subscriber(connection.subscriber).open = false;
    }
  }
  rearm(connection);
}

}  // namespace hermod::broker
