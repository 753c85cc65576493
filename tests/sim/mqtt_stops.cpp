// SPDX-License-Identifier: Apache-2.0
// What a client can still rely on when the broker has stopped: what was acknowledged, and of the
// rest what the broker has had the time to write.
#include "mqtt_actor.hpp"

namespace hermod::sim {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Will = Publication::Will;

namespace {
// What a broker may need to find out that a connection is over, beside the keep-alive time.
constexpr Duration kNotice = seconds{15};
}  // namespace

void MqttActor::on_stopped(Instant safe, bool whole) {
  // CONNACK does not wait for the disk; SUBACK and all acknowledgements do.
  // With an expiry that holds for coming back to a session as well.
  const bool expires = world_.settings().core.expiry_s_max != UINT32_MAX;
  const bool doubtful = (expires ? opened_at_ : session_since_) >= safe;
  if (held_ == Held::kYes && doubtful) held_ = Held::kMaybe;
  if (held_before_ == Held::kYes && doubtful) held_before_ = Held::kMaybe;
  for (const PastWill& will : past_wills_) judge_will_anew(will, {safe, whole});
  // Its will comes as often as the broker starts and stops until that is kept.
  if (will_ && plan_.lasting) ledger_.transmitted(*will_, connection_, world_.moment());
  if (!link_) return;
  if (!stopped_) stopped_ = StopFacts{safe, whole};
  stopped_->whole = stopped_->whole && whole;
}

// A will of a lasting session is kept with it, and is published by the next life of the broker if
// this one cannot say that it has been: then it may come twice. The others live in memory. Of one
// that was being published a power cut may leave neither the will nor the message: the metadata is
// written first.
void MqttActor::judge_will_anew(const PastWill& past, const StopFacts& stop) {
  const Instant safe = stop.safe;
  const Duration notice = milliseconds{1500} * world_.options().keep_alive_s + kNotice;
  if (past.ended + notice < safe) return;
  Will& will = ledger_[past.id].will;
  const bool kept = plan_.lasting && past.opened < safe;
  if (will == Will::kForbidden && past.ended >= safe) will = Will::kUnclear;
  if (will == Will::kDue && (!kept || !stop.whole)) will = Will::kUnclear;
  if (will == Will::kForbidden || ledger_[past.id].accepted != kNever) return;
  ledger_.transmitted(past.id, ledger_[past.id].connection, world_.moment());
}

}  // namespace hermod::sim
