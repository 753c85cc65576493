// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/session/resources.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "hermod/base/utf8.hpp"
#include "hermod/model/topic.hpp"

namespace hermod::coap {
namespace {

// Follows the path from segment to segment. Everything from the third on is the topic, in other
// brokers' paths everything from the second on.
class PathReader {
 public:
  PathReader(std::string& topic, const Aliases& aliases) : topic_(topic), aliases_(aliases) {
    topic_.clear();
  }

  void add(std::string_view segment) {
    ++depth_;
    if (segment == "." || segment == "..") dots_ = true;  // RFC 7252 §5.10.1
    if (depth_ == 1) {
      root_ = segment == "ps"                    ? Root::kPs
              : segment == ".well-known"         ? Root::kWellKnown
              : segment == "r" && aliases_.ponte ? Root::kAlias
                                                 : Root::kNone;
    } else if (depth_ == 2) {
      below_ = root_ == Root::kPs && segment == "data"          ? Below::kData
               : root_ == Root::kPs && segment == "conf"        ? Below::kConfiguration
               : root_ == Root::kWellKnown && segment == "core" ? Below::kCore
                                                                : Below::kNone;
      const bool emqx = root_ == Root::kPs && below_ == Below::kNone && aliases_.emqx;
      if (!emqx && root_ != Root::kAlias) return;
      below_ = Below::kData;
      root_size_ = 1;
      topic_ = segment;
    } else if (has_topic()) {
      if (depth_ > root_size_ + 1) topic_ += '/';
      topic_ += segment;
    }
  }

  [[nodiscard]] Resource resource() const {
    if (root_ == Root::kPs && depth_ == 1) return Resource::kCollection;
    if (below_ == Below::kCore && depth_ == 2) return Resource::kDiscovery;
    if (!has_topic() || topic_.empty()) return Resource::kNone;
    return below_ == Below::kData ? Resource::kTopic : Resource::kConfiguration;
  }
  [[nodiscard]] bool is_alias() const { return root_size_ == 1; }
  [[nodiscard]] bool is_filter() const {
    return below_ == Below::kData && model::has_wildcard(topic_);
  }
  /// Why it is neither a topic nor a filter; empty when it is one of them.
  [[nodiscard]] std::string_view wrong(std::size_t levels_max) const {
    std::size_t levels = 1;
    for (const char c : topic_) {
      if (c == '\0') return "a topic has no U+0000";
      if (c == '/') ++levels;
    }
    // two paths must not name one topic
    if (dots_ || levels != depth_ - root_size_) return "a level is not '.' or '..' and has no '/'";
    if (model::has_wildcard(topic_)) {
      if (!is_filter()) return "a topic has no '+' or '#'";
      if (!wildcards_stand_alone()) return "'+' or '#' is a level of its own, '#' the last";
    }
    if (levels > levels_max) return "the topic has too many levels";
    if (!is_utf8(as_bytes(topic_))) return "a topic is UTF-8";
    return {};
  }

 private:
  enum class Root : std::uint8_t { kNone, kPs, kWellKnown, kAlias };
  enum class Below : std::uint8_t { kNone, kData, kConfiguration, kCore };

  [[nodiscard]] bool wildcards_stand_alone() const {
    model::Levels levels(topic_);
    while (!levels.done()) {
      const std::string_view level = levels.next();
      if (level == "+" || (level == "#" && levels.done())) continue;
      if (model::has_wildcard(level)) return false;
    }
    return true;
  }
  [[nodiscard]] bool has_topic() const {
    return below_ == Below::kData || below_ == Below::kConfiguration;
  }

  std::string& topic_;
  const Aliases& aliases_;
  std::size_t depth_ = 0;
  std::size_t root_size_ = 2;  // segments before the topic
  Root root_ = Root::kNone;
  Below below_ = Below::kNone;
  bool dots_ = false;
};

// A number from 0 to `most`, in decimal.
std::optional<std::uint32_t> number_of(std::string_view text, std::uint32_t most) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number > most) return {};
  return number;
}

bool is_parameter(std::string_view name) {
  return name == "retain" || name == "qos" || name == "expiry" || name.starts_with("user.");
}

// Takes one argument; false when it is none of those that a publication has.
bool take_argument(std::string_view name, std::string_view value, PublishParameters& out) {
  constexpr std::string_view kUser = "user.";
  if (name == "retain") {
    const auto number = number_of(value, 1);
    if (number) out.retain = *number == 1;
    return number.has_value();
  }
  if (name == "qos") {
    const auto number = number_of(value, 2);
    if (number) out.guarantee = static_cast<model::Guarantee>(*number);
    return number.has_value();
  }
  if (name == "expiry") {
    out.expiry_s = number_of(value, std::numeric_limits<std::uint32_t>::max());
    return out.expiry_s.has_value();
  }
  if (!name.starts_with(kUser) || !is_utf8(as_bytes(name)) || !is_utf8(as_bytes(value))) {
    return false;
  }
  out.user.push_back({.name = name.substr(kUser.size()), .value = value});
  return true;
}

}  // namespace

Target read_target(std::span<const std::string_view> path, std::size_t levels_max,
                   std::string& topic, const Aliases& aliases) {
  PathReader reader(topic, aliases);
  for (const std::string_view segment : path) reader.add(segment);
  Target target{.resource = reader.resource(), .is_alias = reader.is_alias()};
  if (target.resource != Resource::kTopic && target.resource != Resource::kConfiguration) {
    return target;
  }
  target.topic = topic;
  target.is_filter = reader.is_filter();
  if (const std::string_view reason = reader.wrong(levels_max); !reason.empty()) {
    target.refusal = {code::kBadRequest, reason};
  }
  return target;
}

PublishParameters read_parameters(std::span<const std::string_view> query, bool lenient) {
  PublishParameters out;
  for (const std::string_view argument : query) {
    const std::size_t equals = std::min(argument.find('='), argument.size());
    const std::string_view value = argument.substr(std::min(equals + 1, argument.size()));
    const std::string_view name = argument.substr(0, equals);
    if (take_argument(name, value, out) || (lenient && !is_parameter(name))) continue;
    out.refusal = {code::kBadRequest,
                   "parameters are retain=0|1, qos=0|1|2, expiry=SECONDS, user.NAME=VALUE"};
  }
  return out;
}

std::vector<std::string> path_of_topic(std::string_view topic) {
  std::vector<std::string> segments{"ps", "data"};
  model::Levels levels(topic);
  do {
    segments.emplace_back(levels.next());
  } while (!levels.done());
  return segments;
}

std::optional<std::string> topic_of_path(std::span<const std::string> segments) {
  std::string topic;
  const Aliases none;
  PathReader path(topic, none);
  for (const std::string& segment : segments) path.add(segment);
  if (path.resource() != Resource::kTopic || path.is_filter() ||
      !path.wrong(topic.size() + 1).empty()) {
    return std::nullopt;
  }
  return topic;
}

}  // namespace hermod::coap
