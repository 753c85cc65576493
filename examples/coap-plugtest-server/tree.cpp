// SPDX-License-Identifier: Apache-2.0
#include "tree.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "hermod/coap/codec/link_format.hpp"

namespace plugtest {
namespace {

namespace coap = hermod::coap;
namespace code = hermod::coap::code;
using coap::ContentFormat;

struct Form {
  ContentFormat format;
  std::string_view payload;
};

// One state in several formats (TD_COAP_CORE_20), the one that is chosen without Accept first.
constexpr std::array<Form, 4> kForms{{{ContentFormat::kTextPlain, "seven"},
                                      {ContentFormat::kXml, "<value>seven</value>"},
                                      {ContentFormat::kJson, "{\"value\":\"seven\"}"},
                                      {ContentFormat::kCbor, "\xa1\x65value\x65seven"}}};

Answer text(coap::Code code, std::string_view words) {
  return {.code = code, .payload = std::string{words}, .format = ContentFormat::kTextPlain};
}

std::string_view name_of(coap::Code method) {
  if (method == code::kGet) return "GET";
  if (method == code::kPost) return "POST";
  if (method == code::kPut) return "PUT";
  if (method == code::kDelete) return "DELETE";
  return "none";
}

// RFC 7252 §5.10.8.
bool holds(const coap::RequestOptions& options, const Resource& resource) {
  if (options.if_none_match && resource.present) return false;
  if (options.if_match.empty()) return true;
  if (!resource.present) return false;
  return std::ranges::any_of(options.if_match, [&](hermod::Bytes wanted) {
    return wanted.empty() || coap::EntityTag{wanted} == tag_of(resource);
  });
}

std::string capitals(std::string_view text) {
  std::string out{text};
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::toupper(c); });
  return out;
}

}  // namespace

coap::EntityTag tag_of(const Resource& resource) {
  std::array<std::uint8_t, 4> octets{};
  for (std::size_t i = 0; i < octets.size(); ++i) {
    octets[i] = static_cast<std::uint8_t>(resource.version >> (8 * i));
  }
  return coap::EntityTag{octets};
}

std::string path_of(const coap::RequestOptions& options) {
  std::string path;
  for (const std::string_view segment : options.path) path.append("/").append(segment);
  return path;
}

Tree::Tree(std::uint64_t first_version)
    : resources_(plugtest_resources()), version_(first_version) {
  for (auto& [path, resource] : resources_) resource.version = version_;
  tick();
  changes_.clear();
}

const Resource* Tree::find(std::string_view path) const {
  const auto at = resources_.find(path);
  return at == resources_.end() || !at->second.present ? nullptr : &at->second;
}

std::vector<std::string> Tree::take_changes() {
  return std::exchange(changes_, {});
}

Answer Tree::ask(const Ask& request) {
  const std::string path = path_of(request.options);
  if (path == "/.well-known/core") return discover(request);
  const auto at = resources_.find(path);
  if (at == resources_.end()) return text(code::kNotFound, "no such resource");
  Resource& resource = at->second;
  if (!resource.methods.contains(name_of(request.method))) {
    return text(code::kMethodNotAllowed, resource.methods);
  }
  if (!holds(request.options, resource)) return {.code = code::kPreconditionFailed};
  if (request.method == code::kPut) return put(path, request);
  if (request.method == code::kDelete) {  // also what is not there (RFC 7252 §5.8.4)
    if (std::exchange(resource.present, false)) changes_.push_back(path);
    return {.code = code::kDeleted};
  }
  if (request.method == code::kPost) return post(path, request);
  if (!resource.present) return text(code::kNotFound, "it was deleted, or is still to be created");
  return get(path, resource, request);
}

Answer Tree::get(const std::string& path, const Resource& there, const Ask& request) {
  const std::optional<ContentFormat> accept = request.options.accept;
  Answer answer{.code = code::kContent, .payload = there.payload, .format = there.format};
  if (path == "/multi-format") {
    const auto* form = std::ranges::find(kForms, accept.value_or(kForms[0].format), &Form::format);
    if (form == kForms.end()) return {.code = code::kNotAcceptable};
    answer.payload = form->payload;
    answer.format = form->format;
    return answer;
  }
  if (accept && accept != there.format) return {.code = code::kNotAcceptable};
  if (path == "/query") {
    answer.payload = "the query is";
    for (const std::string_view one : request.options.query) answer.payload.append(" ").append(one);
    return answer;
  }
  answer.etag = tag_of(there);
  const auto& known = request.options.etags;
  if (std::ranges::any_of(known, [&](hermod::Bytes tag) {
        return coap::EntityTag{tag} == answer.etag;  // RFC 7252 §5.10.6.2
      })) {
    answer.code = code::kValid;
  }
  return answer;
}

Answer Tree::put(const std::string& path, const Ask& request) {
  Resource& resource = resources_[path];
  const bool was_there = resource.present;
  std::optional<ContentFormat> format = request.options.content_format;
  if (!format) format = resource.format;
  set(path, request.payload, format).was_put = true;
  return {.code = was_there ? code::kChanged : code::kCreated};
}

Answer Tree::post(const std::string& path, const Ask& request) {
  const std::optional<ContentFormat> format = request.options.content_format;
  if (path == "/test") {  // TD_COAP_CORE_18; each time anew, so that the case can be run again
    set("/location1/location2/location3", request.payload, format);
    return {.code = code::kCreated, .location_path = {"location1", "location2", "location3"}};
  }
  if (path == "/location-query") {  // TD_COAP_CORE_19
    set(path, request.payload, format);
    return {.code = code::kCreated, .location_query = {"first=1", "second=2"}};
  }
  if (path == "/large-post") {  // TD_COAP_BLOCK_05
    return {.code = code::kChanged, .payload = capitals(request.payload), .format = format};
  }
  // TD_COAP_BLOCK_04
  const std::string name = std::to_string(version_ + 1);
  if (created_.size() == kCreatedMax) {
    resources_.erase(created_.front());
    created_.erase(created_.begin());
  }
  created_.push_back(path + "/" + name);
  Resource& made = set(created_.back(), request.payload, format);
  made.methods = "GET DELETE";
  made.listed = false;
  return {.code = code::kCreated, .location_path = {path.substr(1), name}};
}

Resource& Tree::set(const std::string& path, std::string_view payload,
                    std::optional<ContentFormat> format) {
  Resource& resource = resources_[path];
  resource.present = true;
  resource.payload = payload;
  resource.format = format;
  resource.version = ++version_;
  changes_.push_back(path);
  return resource;
}

Answer Tree::discover(const Ask& request) const {
  if (request.method != code::kGet) return text(code::kMethodNotAllowed, "GET");
  if (request.options.accept.value_or(ContentFormat::kLinkFormat) != ContentFormat::kLinkFormat) {
    return {.code = code::kNotAcceptable};
  }
  Answer answer{.code = code::kContent, .format = ContentFormat::kLinkFormat};
  coap::LinkWriter links(answer.payload);
  for (const auto& [path, resource] : resources_) {
    if (!resource.listed || !resource.present) continue;
    const std::string size = std::to_string(resource.payload.size());
    const std::string format =
        resource.format ? std::to_string(std::to_underlying(*resource.format)) : "";
    std::vector<coap::LinkAttribute> attributes;
    const auto say = [&](std::string_view name, std::string_view value) {
      if (!value.empty()) attributes.push_back({.name = name, .value = value});
    };
    say("title", resource.title);
    say("rt", resource.resource_type);
    say("if", resource.interface);
    say("ct", resource.formats.empty() ? format : resource.formats);
    if (resource.says_size) say("sz", size);
    if (resource.notify != Notify::kNever)
      attributes.push_back({.name = "obs", .has_value = false});
    const coap::Link link{.target = path, .attributes = attributes};
    if (coap::matches_all(link, request.options.query)) links.write(link);
  }
  return answer;
}

void Tree::tick() {
  ++ticks_;
  for (auto& [path, resource] : resources_) {
    if (resource.notify == Notify::kNever) continue;
    if (!std::exchange(resource.present, true)) {
      resource.was_put = false;
      resource.format = ContentFormat::kTextPlain;
    }
    if (!resource.was_put) count(resource, path);
    resource.version = ++version_;
    changes_.push_back(path);
  }
}

void Tree::count(Resource& resource, std::string_view path) {
  resource.payload = "tick " + std::to_string(ticks_);
  const bool is_large = path == "/obs-large" || (path == "/obs-pumping" && ticks_ % 2 == 0);
  if (is_large) resource.payload = lines(resource.payload, 1700);
}

}  // namespace plugtest
