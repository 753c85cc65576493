// SPDX-License-Identifier: Apache-2.0
// The small structures below everything: timing wheel, slab, packet ids, output.
#include <array>

#include "case.hpp"
#include "hermod/base/output.hpp"
#include "hermod/base/slab.hpp"
#include "hermod/base/timing_wheel.hpp"
#include "hermod/model/inflight.hpp"

namespace hermod::micro {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kEntries = 1000;

struct Deadline : WheelEntry {};

// A thousand deadlines, spread over a minute and a half.
struct Wheel {
  Wheel() {
    for (std::size_t i = 0; i < kEntries; ++i) wheel.arm(entries[i], later(i));
  }
  [[nodiscard]] Instant later(std::size_t i) const { return now + milliseconds{1 + i * 90}; }
  Deadline& next() { return entries[at = (at + 1) % kEntries]; }

  Instant now{seconds{1}};
  TimingWheel wheel{now};
  std::array<Deadline, kEntries> entries;
  std::size_t at = 0;
};

void add_wheel(Cases& cases) {
  cases.push_back({"timers/arm_and_cancel", [] {
                     return each(std::make_shared<Wheel>(), [](Wheel& w) {
                       Deadline& entry = w.next();
                       w.wheel.arm(entry, w.later(w.at));
                       entry.cancel();
                     });
                   }});
  cases.push_back({"timers/arm_again", [] {
                     return each(std::make_shared<Wheel>(), [](Wheel& w) {
                       w.now += milliseconds{1};
                       Deadline& entry = w.next();
                       w.wheel.arm(entry, w.now + seconds{90});
                     });
                   }});
  // Each millisecond a retransmission is due and armed anew: what it costs to come down the levels.
  cases.push_back({"timers/arm_and_fire",
                   [] {
                     return each(std::make_shared<Wheel>(), [](Wheel& w) {
                       w.wheel.arm(w.next(), w.now + seconds{2});
                       w.now += milliseconds{1};
                       w.wheel.advance(w.now, [](WheelEntry& due) { keep(due); });
                     });
                   },
                   1, true, 4096});
  cases.push_back({"timers/advance_to_nothing", [] {
                     return each(std::make_shared<Wheel>(), [](Wheel& w) {
                       w.wheel.advance(w.now, [](WheelEntry& due) { keep(due); });
                       const Instant next = w.wheel.next_deadline();
                       keep(next);
                     });
                   }});
}

struct Table {
  Table() {
    for (std::size_t i = 0; i < kEntries; ++i) last = slab.emplace(i);
  }
  Slab<std::uint64_t> slab;
  std::uint32_t last = 0;
};

void add_slab(Cases& cases) {
  cases.push_back({"slab/emplace_and_erase", [] {
                     return each(std::make_shared<Table>(), [](Table& t) {
                       const std::uint32_t index = t.slab.emplace(7u);
                       keep(index);
                       t.slab.erase(index);
                     });
                   }});
  cases.push_back({"slab/find", [] {
                     return each(std::make_shared<Table>(), [](Table& t) {
                       const std::uint64_t* const found = t.slab.find(t.last, 0);
                       keep(found);
                     });
                   }});
}

// Twenty messages under way, answered in order.
struct Exchanges {
  Exchanges() {
    for (int i = 0; i < 20; ++i) (void)inflight.take(++tag, model::Guarantee::kAtLeastOnce);
  }
  model::Inflight inflight;
  model::Tag tag = 0;
  std::uint16_t oldest = 1;
  std::uint16_t incoming = 0;
};

void add_inflight(Cases& cases) {
  cases.push_back({"inflight/take_and_finish", [] {
                     return each(std::make_shared<Exchanges>(), [](Exchanges& e) {
                       const auto id = e.inflight.take(++e.tag, model::Guarantee::kAtLeastOnce);
                       keep(id);
                       keep(*e.inflight.find(e.oldest));
                       e.inflight.finish(e.oldest);
                       e.oldest = static_cast<std::uint16_t>(e.oldest == 65'535 ? 1 : e.oldest + 1);
                     });
                   }});
  cases.push_back({"inflight/note_and_forget_incoming", [] {
                     return each(std::make_shared<Exchanges>(), [](Exchanges& e) {
                       ++e.incoming;
                       keep(e.inflight.note_incoming(e.incoming));
                       keep(e.inflight.forget_incoming(e.incoming));
                     });
                   }});
}

void add_output(Cases& cases) {
  cases.push_back({"output/append_and_consume", [] {
                     return each(std::make_shared<Output>(), [](Output& output) {
                       constexpr std::array<std::uint8_t, 48> kPacket{};
                       std::array<Bytes, 8> pieces;
                       output.append(kPacket);
                       keep(output.gather(pieces));
                       output.consume(kPacket.size());
                     });
                   }});
}

}  // namespace

void add_timers(Cases& cases) {
  add_wheel(cases);
  add_slab(cases);
  add_inflight(cases);
  add_output(cases);
}

}  // namespace hermod::micro
