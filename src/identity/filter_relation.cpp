// SPDX-License-Identifier: Apache-2.0
#include "filter_relation.hpp"

#include "hermod/model/topic.hpp"

namespace hermod::identity {
namespace {

bool begins_wild(std::string_view filter) {
  return filter.starts_with('+') || filter.starts_with('#');
}

// A wildcard at the first level does not match what begins with '$' [MQTT-4.7.2-1].
bool dollar_apart(std::string_view wild, std::string_view other) {
  return begins_wild(wild) && other.starts_with('$');
}

// What is left of a filter matches no level at all: "a/#" matches "a" too.
bool matches_nothing_more(model::Levels& rest) {
  return rest.done() || (rest.next() == "#" && rest.done());
}

}  // namespace

bool covers(std::string_view outer, std::string_view inner) {
  if (dollar_apart(outer, inner)) return false;
  if (inner == "#") return outer == "#" || outer == "+/#";
  model::Levels wide{outer};
  model::Levels narrow{inner};
  while (!wide.done()) {
    const std::string_view level = wide.next();
    if (level == "#") return true;
    if (narrow.done()) return false;
    const std::string_view have = narrow.next();
    if (have == "#") return false;
    if (level != "+" && level != have) return false;
    if (narrow.done()) return matches_nothing_more(wide);
  }
  return false;  // the inner one goes on
}

bool overlaps(std::string_view a, std::string_view b) {
  if (dollar_apart(a, b) || dollar_apart(b, a)) return false;
  model::Levels left{a};
  model::Levels right{b};
  while (!left.done() && !right.done()) {
    const std::string_view l = left.next();
    const std::string_view r = right.next();
    if (l == "#" || r == "#") return true;
    if (l != "+" && r != "+" && l != r) return false;
  }
  return matches_nothing_more(left) && matches_nothing_more(right);
}

}  // namespace hermod::identity
