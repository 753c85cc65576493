// SPDX-License-Identifier: Apache-2.0
// Deciding. A client's own topic lines come first, then the patterns; in both, denials come first.
#include "hermod/identity/access_rules.hpp"

#include <algorithm>

#include "filter_relation.hpp"
#include "hermod/model/topic.hpp"

namespace hermod::identity {
namespace {

bool is_wild(std::string_view name) {
  return name.find_first_of("+#") != std::string_view::npos;
}

// %c and %u replaced in one pass: what is put in is not looked at again.
std::string filled(std::string_view pattern, const core::Actor& actor) {
  std::string out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const std::string_view two = pattern.substr(i, 2);
    if (two == "%c" || two == "%u") {
      out += two == "%c" ? actor.client_id : actor.user;
      ++i;
    } else {
      out += pattern[i];
    }
  }
  return out;
}

}  // namespace

const AccessRules::Lines* AccessRules::lines_of(const core::Actor& actor) const {
  if (!actor.named) return &anonymous_;
  const auto found = users_.find(actor.user);
  return found == users_.end() ? nullptr : &found->second;
}

template <typename Denies, typename Permits>
AccessRules::Finding AccessRules::look(const Lines* lines, const core::Actor& actor,
                                       std::uint8_t access, Denies&& denies,
                                       Permits&& permits) const {
  if (lines == nullptr) return Finding::kNothing;
  // A line about a name says nothing about those who have none.
  const auto hits = [&actor](const Line& line, auto& test) {
    if ((line.about_client && actor.client_id.empty()) || (line.about_user && !actor.named)) {
      return false;
    }
    if (!line.about_client && !line.about_user) return test(std::string_view{line.filter});
    return test(std::string_view{filled(line.filter, actor)});
  };
  for (const Line& line : lines->denials) {
    if (hits(line, denies)) return Finding::kDenied;
  }
  for (const Line& line : lines->permits) {
    if ((line.access & access) != 0 && hits(line, permits)) return Finding::kAllowed;
  }
  return Finding::kNothing;
}

template <typename Denies, typename Permits>
bool AccessRules::decide(const core::Actor& actor, std::uint8_t access, Denies&& denies,
                         Permits&& permits) const {
  const Finding own = look(lines_of(actor), actor, access, denies, permits);
  if (own != Finding::kNothing) return own == Finding::kAllowed;
  // A name with a wildcard in it would open with %c or %u what belongs to others.
  if (is_wild(actor.client_id) || (actor.named && is_wild(actor.user))) return false;
  return look(&patterns_, actor, access, denies, permits) == Finding::kAllowed;
}

bool AccessRules::allows(const core::Actor& actor, core::Action action,
                         std::string_view topic) const {
  if (action == core::Action::kSubscribe) return true;
  // What is there is the broker's own, but for the states of bridges: clients do not write it,
  // whatever the lines say.
  if (action == core::Action::kPublish && model::is_own_topic(topic)) return false;
  const auto hits = [topic](std::string_view filter) { return model::matches(filter, topic); };
  return decide(actor, action == core::Action::kPublish ? kWrite : kRead, hits, hits);
}

bool AccessRules::allows_reading_all(const core::Actor& actor, std::string_view filter) const {
  // A denial that touches the filter, or permits that only cover it together, leave the decision to
  // each topic.
  const auto denies = [filter](std::string_view line) { return overlaps(line, filter); };
  const auto permits = [filter](std::string_view line) { return covers(line, filter); };
  return decide(actor, kRead, denies, permits);
}

std::size_t AccessRules::size() const {
  const auto of = [](const Lines& lines) { return lines.denials.size() + lines.permits.size(); };
  std::size_t all = of(anonymous_) + of(patterns_);
  for (const auto& [name, lines] : users_) all += of(lines);
  return all;
}

void AccessRules::Lines::add(Line line) {
  (line.access == kDeny ? denials : permits).push_back(std::move(line));
}

}  // namespace hermod::identity
