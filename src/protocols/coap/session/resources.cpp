// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/session/resources.hpp"

#include "hermod/base/utf8.hpp"
#include "hermod/model/topic.hpp"

namespace hermod::coap {
namespace {

// Follows the path from segment to segment. Everything from the third on is the topic.
class PathReader {
 public:
  explicit PathReader(std::string& topic) : topic_(topic) { topic_.clear(); }

  void add(std::string_view segment) {
    ++depth_;
    if (segment == "." || segment == "..") dots_ = true;  // RFC 7252 §5.10.1
    if (depth_ == 1) {
      root_ = segment == "ps"            ? Root::kPs
              : segment == ".well-known" ? Root::kWellKnown
                                         : Root::kNone;
    } else if (depth_ == 2) {
      below_ = (root_ == Root::kPs && segment == "data") ||
               (root_ == Root::kWellKnown && segment == "core");
    } else if (root_ == Root::kPs && below_) {
      if (depth_ > 3) topic_ += '/';
      topic_ += segment;
    }
  }

  [[nodiscard]] Resource resource() const {
    if (root_ == Root::kPs && depth_ == 1) return Resource::kCollection;
    if (root_ == Root::kPs && below_ && !topic_.empty()) return Resource::kTopic;
    if (root_ == Root::kWellKnown && below_ && depth_ == 2) return Resource::kDiscovery;
    return Resource::kNone;
  }
  /// Why the topic is none; empty when it is one.
  [[nodiscard]] std::string_view wrong(std::size_t levels_max) const {
    std::size_t levels = 1;
    for (const char c : topic_) {
      if (c == '+' || c == '#' || c == '\0') return "a topic has no '+', '#' or U+0000";
      if (c == '/') ++levels;
    }
    // two paths must not name one topic
    if (dots_ || levels != depth_ - 2) return "a level is not '.' or '..' and has no '/'";
    if (levels > levels_max) return "the topic has too many levels";
    if (!is_utf8(as_bytes(topic_))) return "a topic is UTF-8";
    return {};
  }

 private:
  enum class Root : std::uint8_t { kNone, kPs, kWellKnown };
  std::string& topic_;
  std::size_t depth_ = 0;
  Root root_ = Root::kNone;
  bool below_ = false;
  bool dots_ = false;
};

// Options that mean something here; any other is not recognised.
bool is_recognised(OptionNumber number) {
  using enum OptionNumber;
  switch (number) {
    case kUriHost:
    case kETag:
    case kObserve:
    case kUriPort:
    case kUriPath:
    case kContentFormat:
    case kMaxAge:
    case kUriQuery:
    case kAccept:
    case kProxyUri:
    case kProxyScheme:
      return true;
    default:
      return false;
  }
}

// Takes one recognised, well-formed option into the request.
void take_option(const OptionView& option, PathReader& path, RequestView& request,
                 std::size_t& etags) {
  using enum OptionNumber;
  const auto format = [&] { return static_cast<ContentFormat>(*uint_value(option.value)); };
  switch (option.number) {
    case kUriPath:
      path.add(as_text(option.value));
      break;
    case kETag:
      if (etags < RequestView::kETagsMax) request.etags[etags++] = option.value;
      break;
    case kObserve:
      request.observe = uint_value(option.value);
      break;
    case kContentFormat:
      request.content_format = format();
      break;
    case kMaxAge:
      request.max_age_s = uint_value(option.value);
      break;
    case kAccept:
      request.accept = format();
      break;
    case kUriQuery:
      request.refusal = {code::kBadRequest, "no query is defined here"};
      break;
    case kProxyUri:
    case kProxyScheme:  // RFC 7252 §5.10.2
      request.refusal = {code::kProxyingNotSupported, ""};
      break;
    default:  // Uri-Host, Uri-Port: one server for all names
      break;
  }
}

}  // namespace

RequestView read_request(const MessageView& message, std::size_t levels_max, std::string& topic) {
  RequestView request;
  PathReader path(topic);
  std::size_t etags = 0;
  OptionNumber previous{};
  for (const OptionView& option : message.options) {
    const OptionRule* rule = is_recognised(option.number) ? find_rule(option.number) : nullptr;
    const bool repeated = option.number == previous;
    previous = option.number;
    if (rule == nullptr || !rule->allows_length(option.value.size()) ||
        (repeated && !rule->repeatable)) {
      // RFC 7252 §5.4.1: an elective one is ignored, a critical one refused
      if (is_critical(option.number) && !request.bad_option) request.bad_option = option.number;
      continue;
    }
    take_option(option, path, request, etags);
  }
  request.resource = path.resource();
  // RFC 6690 §4.1: a server that does not filter answers with everything
  if (request.resource == Resource::kDiscovery && request.refusal &&
      request.refusal->code == code::kBadRequest) {
    request.refusal.reset();
  }
  if (request.resource != Resource::kTopic || request.refusal) return request;
  request.topic = topic;
  if (const std::string_view reason = path.wrong(levels_max); !reason.empty()) {
    request.refusal = {code::kBadRequest, reason};
  }
  return request;
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
  PathReader path(topic);
  for (const std::string& segment : segments) path.add(segment);
  if (path.resource() != Resource::kTopic || !path.wrong(topic.size() + 1).empty()) {
    return std::nullopt;
  }
  return topic;
}

}  // namespace hermod::coap
