// SPDX-License-Identifier: Apache-2.0
// From a topic to its subscribers: the tree itself, and the cache of its answers.
#include <fmt/format.h>

#include "case.hpp"
#include "hermod/core/match_cache.hpp"
#include "hermod/core/topic_tree.hpp"

namespace hermod::micro {
namespace {

using core::MatchCache;
using core::MatchSet;
using core::TopicTree;

struct Topics {
  explicit Topics(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      names.push_back(fmt::format("plant/hall-{}/line-{}/sensor-{}", i % 10, i / 10 % 100, i));
    }
  }
  [[nodiscard]] const std::string& next() {
    return names[at = at + 1 == names.size() ? 0 : at + 1];
  }

  std::vector<std::string> names;
  std::size_t at = 0;
  TopicTree tree{7};
  MatchCache cache{tree, 7};
  MatchSet set;
  std::uint32_t subscribers = 0;

  void subscribe(std::string_view filter) { tree.add(filter, subscribers++, {}); }
};

void find_next(Topics& t) {
  const MatchSet& set = t.cache.find(t.next());
  keep(set);
}

void match_next(Topics& t) {
  t.tree.match(t.next(), t.set);
  keep(t.set);
}

// Publications to `topics` topics in turn, all of one wildcard's subscriber, beside `unrelated`
// wildcard filters of others.
Body topics_in_turn(std::size_t topics, std::size_t unrelated) {
  auto state = std::make_shared<Topics>(topics);
  state->subscribe("plant/+/+/+");
  for (std::size_t i = 0; i < unrelated; i += 4) {
    state->subscribe(fmt::format("site-{}/+/status", i));
    state->subscribe(fmt::format("+/hall/{}/alarm", i));
    state->subscribe(fmt::format("plant/+/queue-{}/#", i));
    state->subscribe(fmt::format("plant/room-{}/+/+", i));
  }
  return each(std::move(state), find_next);
}

void add_cache(Cases& cases) {
  for (const std::size_t topics : {1, 10, 1000, 10'000}) {
    cases.push_back({fmt::format("match/cache/topics-{}", topics),
                     [topics] { return topics_in_turn(topics, 0); }, 1, topics <= 1000,
                     std::max<std::size_t>(topics, 256)});
  }
  cases.push_back({"match/cache/topics-1000000", [] { return topics_in_turn(1'000'000, 0); }, 1,
                   false, 100'000});
  cases.push_back({"match/cache/topics-10/unrelated-100000",
                   [] { return topics_in_turn(10, 100'000); }, 1, false});
  cases.push_back({"match/cache/topics-1000000/unrelated-100000",
                   [] { return topics_in_turn(1'000'000, 100'000); }, 1, false, 100'000});
}

// A topic of 100 subscribers, and somebody who subscribes and unsubscribes elsewhere before each
// look at it: the price of one change.
void add_changes(Cases& cases, const std::string& where, std::string filter) {
  cases.push_back({"match/cache/after_change/" + where, [filter] {
                     auto state = std::make_shared<Topics>(1);
                     for (int i = 0; i < 100; ++i) state->subscribe(state->names[0]);
                     return each(std::move(state), [filter](Topics& t) {
                       const auto added = t.tree.add(filter, 1'000'000, {});
                       keep(t.cache.find(t.names[0]));
                       t.tree.remove(added.node, 1'000'000);
                       keep(t.cache.find(t.names[0]));
                     });
                   }});
}

void add_tree(Cases& cases) {
  for (const std::size_t count : {10, 1000, 100'000}) {
    cases.push_back({fmt::format("match/tree/exact-{}", count),
                     [count] {
                       auto state = std::make_shared<Topics>(count);
                       for (const std::string& name : state->names) state->subscribe(name);
                       return each(std::move(state), match_next);
                     },
                     1, count <= 1000});
  }
  cases.push_back({"match/tree/wildcards", [] {
                     auto state = std::make_shared<Topics>(1000);
                     for (const std::string_view filter :
                          {"plant/+/line-7/#", "plant/hall-3/+/+", "#", "+/+/+/+", "plant/#"})
                       state->subscribe(filter);
                     return each(std::move(state), match_next);
                   }});
  cases.push_back({"match/tree/subscribers-100", [] {
                     auto state = std::make_shared<Topics>(1);
                     for (int i = 0; i < 100; ++i) state->subscribe(state->names[0]);
                     return each(std::move(state), match_next);
                   }});
  cases.push_back({"match/tree/levels-32", [] {
                     auto state = std::make_shared<Topics>(1);
                     std::string topic = "a";
                     for (int i = 1; i < 32; ++i) topic += fmt::format("/level-{}", i);
                     state->names[0] = topic;
                     state->subscribe(topic);
                     return each(std::move(state), match_next);
                   }});
  cases.push_back({"match/tree/subscribe_and_unsubscribe", [] {
                     return each(std::make_shared<Topics>(1000), [](Topics& t) {
                       const auto added = t.tree.add(t.next(), 3, {});
                       t.tree.remove(added.node, 3);
                     });
                   }});
}

}  // namespace

void add_match(Cases& cases) {
  add_cache(cases);
  add_changes(cases, "another_tree", "office/room");
  add_changes(cases, "same_first_level", "plant/hall-9/status");
  add_changes(cases, "sibling", "plant/hall-0/line-0/sensor-1");
  add_changes(cases, "wildcard", "+/hall-9/status");
  add_tree(cases);
}

}  // namespace hermod::micro
