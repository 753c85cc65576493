// SPDX-License-Identifier: Apache-2.0
// The core from publication to session and back: fast lane, queues, settlement, retained values.
#include <fmt/format.h>

#include <array>

#include "case.hpp"
#include "hermod/core/core.hpp"

namespace hermod::micro {
namespace {

using core::Core;
using core::SubscriberIndex;
using model::Guarantee;

constexpr std::size_t kRun = 16;  // publications a run

// Notes what a session would have to settle.
class Sessions final : public core::Outlet {
 public:
  struct Taken {
    SubscriberIndex subscriber;
    model::Tag first;
    std::uint32_t count;
  };
  void deliver(core::ConnectionKey connection, const model::DeliveryBatch& batch) override {
    if (batch.items.front().guarantee == Guarantee::kAtMostOnce) return;
    taken.push_back({static_cast<SubscriberIndex>(connection - 1), batch.first_tag,
                     static_cast<std::uint32_t>(batch.items.size())});
  }
  void forward(const model::Message&, core::ShardSet, core::ShardSet) override {}
  void to_member(const core::MemberRef&, core::GroupKey, core::QueuePlace,
                 const model::Delivery&) override {}
  void grant(std::uint16_t, core::GroupKey, const core::MemberRef&, std::uint32_t,
             std::vector<model::Tag>) override {}
  void give_back(std::uint16_t, std::string_view, core::GroupKey, const core::MemberRef&,
                 std::vector<core::Returned>, bool) override {}

  std::vector<Taken> taken;
};

struct Shard {
  Shard(std::size_t subscribers, Guarantee guarantee, std::uint32_t credit) {
    for (std::size_t i = 0; i < subscribers; ++i) {
      const SubscriberIndex index =
          core.attach(fmt::format("client-{}", i), i + 1, true, 0, {}, now).subscriber;
      core.subscribe(index, "plant/hall-3/temperature", {.guarantee_max = guarantee});
      core.credit(index, credit);
    }
    run.fill({.destination = model::Destination::topic("plant/hall-3/temperature"),
              .payload = as_bytes(std::string_view{"0123456789abcdef"}),
              .guarantee = guarantee,
              .origin = {.connection = 1'000'000}});
  }
  void publish_run() {
    for (model::Message& message : run) {
      message.owner = nullptr;
      keep(core.publish(message, now));
    }
    core.flush();
  }
  // What was taken is settled; its credit comes back, and brings what waits.
  void settle_all() {
    while (!outlet.taken.empty()) {
      settling.swap(outlet.taken);
      for (const Sessions::Taken& one : settling) {
        core.settle(one.subscriber, one.first, one.first + one.count - 1, model::Outcome::kAccept,
                    one.count);
      }
      settling.clear();
    }
  }

  Instant now{std::chrono::seconds{1}};
  core::Limits limits;
  Sessions outlet;
  core::NullJournal journal;
  Core core{{.shard = 0, .shards = 1, .hash_key = 7}, limits, journal, outlet};
  std::array<model::Message, kRun> run;
  std::vector<Sessions::Taken> settling;
};

void add_fan_out(Cases& cases, std::size_t subscribers, Guarantee guarantee) {
  const int qos = static_cast<int>(guarantee);
  cases.push_back({fmt::format("route/fan_out/q{}/subscribers-{}", qos, subscribers),
                   [=] {
                     return each(std::make_shared<Shard>(subscribers, guarantee, 20u),
                                 [](Shard& shard) {
                                   shard.publish_run();
                                   shard.settle_all();
                                 });
                   },
                   kRun * subscribers, subscribers <= 100,
                   subscribers >= 100 ? std::size_t{4} : std::size_t{64}});
}

void add_routes(Cases& cases) {
  for (const std::size_t subscribers : {1, 100, 10'000}) {
    add_fan_out(cases, subscribers, Guarantee::kAtMostOnce);
    add_fan_out(cases, subscribers, Guarantee::kAtLeastOnce);
  }
  // Less credit than a run needs: every message goes through the queue.
  cases.push_back({"route/queue/q1/subscribers-100",
                   [] {
                     return each(std::make_shared<Shard>(100, Guarantee::kAtLeastOnce, 8u),
                                 [](Shard& shard) {
                                   shard.publish_run();
                                   shard.settle_all();
                                 });
                   },
                   kRun * 100, true, 4});
  cases.push_back({"route/nobody",
                   [] {
                     return each(std::make_shared<Shard>(0, Guarantee::kAtMostOnce, 0u),
                                 [](Shard& shard) { shard.publish_run(); });
                   },
                   kRun});
}

// Each publication has the next one of so many topics, and all have one subscriber.
struct Feed : Shard {
  explicit Feed(std::size_t topics) : Shard(0, Guarantee::kAtMostOnce, 0) {
    for (std::size_t i = 0; i < topics; ++i) {
      names.push_back(fmt::format("plant/hall-{}/line-{}/sensor-{}", i % 10, i / 10 % 100, i));
    }
    const SubscriberIndex index = core.attach("logger", 1, true, 0, {}, now).subscriber;
    core.subscribe(index, "plant/+/+/+", {});
  }
  void publish_next() {
    at = at + 1 == names.size() ? 0 : at + 1;
    run[0].destination.address = names[at];
    keep(core.publish(run[0], now));
    core.flush();
  }

  std::vector<std::string> names;
  std::size_t at = 0;
};

void add_feeds(Cases& cases) {
  for (const std::size_t topics : {10, 1'000'000}) {
    cases.push_back({fmt::format("route/topics-{}", topics),
                     [topics] {
                       return each(std::make_shared<Feed>(topics),
                                   [](Feed& feed) { feed.publish_next(); });
                     },
                     1, topics <= 10, topics <= 10 ? 256u : 100'000u});
  }
}

struct Values {
  Values() {
    for (int i = 0; i < 10'000; ++i) {
      names.push_back(fmt::format("plant/hall-{}/sensor-{}", i % 10, i));
      store(names.back());
    }
  }
  void store(const std::string& name) {
    retained.store({.destination = model::Destination::topic(name),
                    .payload = as_bytes(std::string_view{"0123456789abcdef"}),
                    .retain = true,
                    .version = ++version});
  }
  [[nodiscard]] const std::string& next() { return names[at = (at + 7) % names.size()]; }

  core::Limits limits;
  core::Retained retained{limits, 7};
  std::uint64_t version = 0;
  std::vector<std::string> names;
  std::size_t at = 0;
  Instant now{std::chrono::seconds{1}};
};

void add_retained(Cases& cases) {
  cases.push_back({"retained/find/values-10000", [] {
                     return each(std::make_shared<Values>(), [](Values& v) {
                       const auto* const value = v.retained.find(v.next(), v.now);
                       keep(value);
                     });
                   }});
  cases.push_back({"retained/replace/values-10000", [] {
                     return each(std::make_shared<Values>(), [](Values& v) { v.store(v.next()); });
                   }});
  cases.push_back({"retained/match/hall-3/1000-of-10000",
                   [] {
                     return each(std::make_shared<Values>(), [](Values& v) {
                       v.retained.match("plant/hall-3/+", "", 100'000, v.now,
                                        [](const model::MessageRef& value) {
                                          keep(value);
                                          return true;
                                        });
                     });
                   },
                   1000, true, 4});
}

}  // namespace

void add_route(Cases& cases) {
  add_routes(cases);
  add_feeds(cases);
  add_retained(cases);
}

}  // namespace hermod::micro
