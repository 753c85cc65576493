// SPDX-License-Identifier: Apache-2.0
// Messages of MQTT 3.1 that wait for their answer and are sent again when it does not come
// (MQTT 3.1 §4.1, §4.2). Later versions forbid that on one connection [MQTT-4.4.0-1]. It knows no
// session: copies of messages, and when each is due.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>

#include "hermod/base/time.hpp"
#include "hermod/model/delivery.hpp"
#include "hermod/mqtt/session/flow.hpp"
#include "hermod/session/effects.hpp"

namespace hermod::mqtt {

class Resends {
 public:
  /// Remembers what of a batch was just sent and wants an answer by `due`.
  void note(const model::DeliveryBatch& batch, Instant due, Flow& flow);

  /// Remembers the exchanges of an earlier connection that wait for PUBCOMP alone.
  void note_released(Instant due, Flow& flow);

  /// When something has to be sent again; kNever. May be earlier than needed.
  [[nodiscard]] Instant due() const {
    return waiting_.empty() ? kNever : std::max(waiting_.front().due, not_before_);
  }
  /// Messages kept, the answered ones that are not dropped yet included: at most about twice as
  /// many as are under way.
  [[nodiscard]] std::size_t remembered() const { return waiting_.size(); }
  /// Nothing is sent again before then.
  void postpone(Instant until) { not_before_ = until; }

  /// Sends again what is due now and not answered: PUBLISH with DUP, or PUBREL with DUP when PUBREC
  /// came. It is due again at `next`, which is later than all that waits. After 64 KiB the rest
  /// follows a second later.
  void resend(Instant now, Instant next, Flow& flow, session::Effects& effects);

 private:
  struct Waiting {
    Instant due{};
    model::MessageRef message;
    model::Tag tag = 0;
    std::uint16_t packet_id = 0;
    bool retain = false;
  };
  [[nodiscard]] static bool is_over(const Waiting& one, Flow& flow);
  void drop_answered(Flow& flow);

  std::deque<Waiting> waiting_;  // by due
  Instant not_before_{};
};

}  // namespace hermod::mqtt
