// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/session/resends.hpp"

#include <utility>

#include "hermod/mqtt/codec/fixed_header.hpp"
#include "hermod/mqtt/codec/publish.hpp"
#include "hermod/mqtt/session/convert.hpp"

namespace hermod::mqtt {

using model::Guarantee;
using session::Inflight;
using session::Stage;

namespace {
constexpr Duration kBreath = std::chrono::seconds{1};
}  // namespace

bool Resends::is_over(const Waiting& one, Flow& flow) {
  const Inflight::Entry* const entry = flow.inflight.find(one.packet_id);
  return entry == nullptr || entry->tag != one.tag;
}

// Only when they are half of all: each costs its part of one walk.
void Resends::drop_answered(Flow& flow) {
  constexpr std::size_t kFew = 64;
  if (waiting_.size() < 2 * flow.inflight.outgoing() + kFew) return;
  std::erase_if(waiting_, [&flow](const Waiting& one) { return is_over(one, flow); });
}

void Resends::note(const model::DeliveryBatch& batch, Instant due, Flow& flow) {
  drop_answered(flow);
  for (std::size_t i = 0; i < batch.items.size(); ++i) {
    const model::Delivery& item = batch.items[i];
    if (item.guarantee == Guarantee::kAtMostOnce) continue;
    const model::Tag tag = batch.first_tag + i;
    const Inflight::Entry* const entry = flow.inflight.find_tag(tag);
    if (entry == nullptr) continue;  // could not be said
    waiting_.push_back({.due = due,
                        .message = item.message->own(),
                        .tag = tag,
                        .packet_id = entry->id,
                        .retain = item.retain});
  }
}

void Resends::note_released(Instant due, Flow& flow) {
  for (const std::uint16_t id : flow.inflight.released()) {
    waiting_.push_back({.due = due, .tag = flow.inflight.find(id)->tag, .packet_id = id});
  }
}

void Resends::resend(Instant now, Instant next, Flow& flow, session::Effects& effects) {
  if (now < not_before_) return;
  constexpr std::size_t kBytesMax = 64u << 10;
  const std::size_t before = effects.output().size();
  while (!waiting_.empty() && waiting_.front().due <= now) {
    if (effects.output().size() - before >= kBytesMax) return postpone(now + kBreath);
    Waiting one = std::move(waiting_.front());
    waiting_.pop_front();
    if (is_over(one, flow)) continue;
    const Inflight::Entry* const entry = flow.inflight.find(one.packet_id);
    Output& output = effects.output();
    if (entry->stage == Stage::kReleased) {
      const AckView pubrel{PacketType::kPubrel, one.packet_id};
      const std::size_t size = ack_size(pubrel, flow.version);
      std::uint8_t* const out = output.reserve(size);
      write_ack(out, pubrel, flow.version);
      out[0] |= kPublishDup;  // MQTT 3.1 §2.1: PUBREL has DUP too
      output.commit(size);
      one.message = {};
    } else {
      const PublishView publish = to_publish(*one.message, {.guarantee = entry->guarantee,
                                                            .packet_id = one.packet_id,
                                                            .retain = one.retain,
                                                            .dup = true});
      const std::size_t size = publish_size(publish, flow.version);
      write_publish(output.reserve(size), publish, flow.version);
      output.commit(size);
    }
    one.due = next;
    waiting_.push_back(std::move(one));
  }
}

}  // namespace hermod::mqtt
