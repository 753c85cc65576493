// SPDX-License-Identifier: Apache-2.0
#include "hermod/core/group.hpp"

#include <algorithm>
#include <utility>

#include "hermod/base/assert.hpp"

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
  credit_ += count;
}

void Group::pause(const MemberRef& member) {
  const auto found = find(member);
  if (found == members_.end() || !found->connected) return;
  found->connected = false;
  credit_ -= std::exchange(found->credit, 0);
  --connected_;
}

const MemberRef& Group::next() {
  HERMOD_ASSERT(credit_ > 0);
  while (true) {
    if (turn_ >= members_.size()) turn_ = 0;
    Member& member = members_[turn_++];
    if (member.credit == 0) continue;
    --member.credit;
    --credit_;
    return member.ref;
  }
}

Group::Lent Group::lend(model::Tag tag, Queue::Entry entry) {
  const auto [place, added] = lent_.emplace(tag, std::move(entry));
  HERMOD_ASSERT(added);
  return {tag, &place->second};
}

Group::Lent Group::lend_again() {
  if (returned_.empty()) return {};
  const model::Tag tag = *returned_.begin();
  returned_.erase(returned_.begin());
  return {tag, &lent_.at(tag)};
}

void Group::give_back(const Returned& returned) {
  const auto found = lent_.find(returned.tag);
  if (found == lent_.end()) return;
  if (returned.delivered) found->second.marks.delivered = true;
  returned_.insert(returned.tag);
}

std::optional<Queue::Entry> Group::end(model::Tag tag) {
  const auto found = lent_.find(tag);
  if (found == lent_.end()) return std::nullopt;
  std::optional<Queue::Entry> entry{std::move(found->second)};
  lent_.erase(found);
  returned_.erase(tag);
  return entry;
}

Queue::Entry* Group::find_lent(model::Tag tag) {
  const auto found = lent_.find(tag);
  return found == lent_.end() ? nullptr : &found->second;
}

std::vector<model::Tag> Group::lent() const {
  std::vector<model::Tag> tags;
  tags.reserve(lent_.size());
  for (const auto& [tag, entry] : lent_) tags.push_back(tag);
  std::ranges::sort(tags);
  return tags;
}

bool Group::durable() const {
  return std::ranges::any_of(members_, &Member::durable);
}

}  // namespace hermod::core
