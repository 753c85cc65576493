// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/session/topic_links.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "hermod/coap/codec/uri.hpp"
#include "hermod/coap/session/convert.hpp"
#include "hermod/coap/session/topic_convert.hpp"
#include "hermod/model/topic.hpp"

namespace hermod::coap {
namespace {

constexpr std::string_view kDataType = "core.ps.data";
constexpr std::string_view kConfigurationType = "core.ps.conf";

// The target of a topic's resource: `root` and the levels.
std::string target_of(std::string_view root, std::string_view topic) {
  std::string target(root);
  model::Levels levels(topic);
  do {
    append_segment(target, levels.next());
  } while (!levels.done());
  return target;
}

bool asks_for(std::string_view argument, std::string_view name, std::string_view value) {
  return argument.size() == name.size() + 1 + value.size() && argument.starts_with(name) &&
         argument[name.size()] == '=' && argument.ends_with(value);
}

}  // namespace

TopicLinks::TopicLinks(Kind kind, std::span<const std::string_view> query) : kind_(kind) {
  const auto number = [&](std::string_view argument, std::size_t name, std::uint32_t most,
                          std::uint32_t& out) {
    const char* begin = argument.data() + name;
    const char* end = argument.data() + argument.size();
    const auto [at, error] = std::from_chars(begin, end, out);
    if (error == std::errc{} && at == end && out <= most) return;
    refusal_ = {code::kBadRequest, "page and count are numbers; a page has at most 4,096 links"};
  };
  constexpr std::string_view kPage = "page=";
  constexpr std::string_view kCount = "count=";
  for (const std::string_view argument : query) {
    if (argument.starts_with(kPage)) {
      number(argument, kPage.size(), 0xffff'ffff, page_);
    } else if (argument.starts_with(kCount)) {
      number(argument, kCount.size(), kCountMost, count_);
    } else {
      filters_.emplace_back(argument);
    }
  }
  if (count_ == 0) count_ = 1;
  skip_ = std::uint64_t{page_} * count_;
  filter_views_.assign(filters_.begin(), filters_.end());
  if (kind == Kind::kCollection) {
    with_attributes_ = false;
    of_data_ = std::ranges::any_of(
        filters_, [](const std::string& f) { return asks_for(f, "rt", kDataType); });
    of_configurations_ = !of_data_;
  } else {
    add_collection();
  }
}

void TopicLinks::require(Bytes filter) {
  required_.assign(filter.begin(), filter.end());
}

void TopicLinks::add_collection() {
  const std::array<LinkAttribute, 2> attributes{
      {{.name = "rt", .value = "core.ps core.ps.coll"}, {.name = "ct", .value = "40"}}};
  offer({.target = "/ps", .attributes = attributes});
}

bool TopicLinks::add(std::span<const model::TopicEntry> topics) {
  for (const model::TopicEntry& topic : topics) {
    if (full_) break;
    add_topic(topic);
  }
  return !full_;
}

void TopicLinks::add_topic(const model::TopicEntry& topic) {
  if (!required_.empty() && !has_properties(topic, required_)) return;
  if (of_data_ && topic.has_value) {
    std::array<LinkAttribute, 4> attributes{
        {{.name = "rt", .value = kDataType}, {.name = "obs", .has_value = false}}};
    std::size_t count = 2;
    const std::string size = std::to_string(topic.value_bytes);
    attributes[count++] = {.name = "sz", .value = size};
    const auto format = format_of(topic.content_type);
    const std::string number = format ? std::to_string(static_cast<unsigned>(*format)) : "";
    if (format) attributes[count++] = {.name = "ct", .value = number};
    const std::string target = target_of("/ps/data", topic.topic);
    offer({.target = target, .attributes = std::span{attributes}.first(count)});
  }
  const bool named = kind_ == Kind::kCollection || topic.declared.has_value();
  if (of_configurations_ && named) {
    const std::array<LinkAttribute, 2> attributes{
        {{.name = "rt", .value = kConfigurationType}, {.name = "ct", .value = "606"}}};
    const std::string target = target_of("/ps/conf", topic.topic);
    offer({.target = target, .attributes = attributes});
  }
}

void TopicLinks::offer(const Link& link) {
  if (full_ || !matches_all(link, filter_views_)) return;
  if (skip_ > 0) {
    --skip_;
    return;
  }
  if (given_ == count_) {
    full_ = true;
    writer_.link(next_page());
    writer_.text("rel", "next");
    return;
  }
  ++given_;
  writer_.write(
      {.target = link.target,
       .attributes = with_attributes_ ? link.attributes : std::span<const LinkAttribute>{}});
}

std::string TopicLinks::next_page() const {
  std::string target = kind_ == Kind::kDiscovery ? "/.well-known/core" : "/ps";
  target += fmt::format("?page={}&count={}", page_ + 1, count_);
  for (const std::string& filter : filters_) {
    target += '&';
    append_argument(target, filter);
  }
  return target;
}

}  // namespace hermod::coap
