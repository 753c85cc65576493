// SPDX-License-Identifier: Apache-2.0
#include "hermod/core/group.hpp"

#include <algorithm>

namespace hermod::core {

std::optional<GroupName> parse_group(std::string_view text) {
  constexpr std::string_view kPrefix = "$share/";
  if (!text.starts_with(kPrefix)) return std::nullopt;
  text.remove_prefix(kPrefix.size());
  const std::size_t end = text.find('/');
  if (end == 0 || end == std::string_view::npos || end + 1 == text.size()) return std::nullopt;
  const std::string_view share = text.substr(0, end);
  if (share.find_first_of("+#") != std::string_view::npos) return std::nullopt;
  return GroupName{share, text.substr(end + 1)};
}

std::vector<Group::Member>::iterator Group::find(const MemberRef& member) {
  return std::ranges::find(members_, member, &Member::ref);
}

void Group::join(const MemberRef& member, bool durable) {
  const auto found = find(member);
  if (found == members_.end()) {
    members_.push_back({.ref = member, .durable = durable});
  } else {
    found->durable = durable;
  }
}

bool Group::leave(const MemberRef& member) {
  const auto found = find(member);
  if (found == members_.end()) return members_.empty();
  pause(member);
  const auto place = static_cast<std::size_t>(found - members_.begin());
  members_.erase(found);
  if (place < turn_) --turn_;
  return members_.empty();
}

void Group::grant(const MemberRef& member, std::uint32_t count) {
  const auto found = find(member);
  if (found == members_.end()) return;
  if (!found->connected) ++connected_;
  found->connected = true;
  found->credit += count;
}

void Group::pause(const MemberRef& member) {
  const auto found = find(member);
  if (found == members_.end() || !found->connected) return;
  found->connected = false;
  found->credit = 0;
  --connected_;
}

const MemberRef* Group::next() {
  for (std::size_t looked = 0; looked < members_.size(); ++looked) {
    if (turn_ >= members_.size()) turn_ = 0;
    Member& member = members_[turn_++];
    if (member.credit == 0) continue;
    --member.credit;
    return &member.ref;
  }
  return nullptr;
}

bool Group::durable() const {
  return std::ranges::any_of(members_, &Member::durable);
}

}  // namespace hermod::core
