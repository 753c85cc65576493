// SPDX-License-Identifier: Apache-2.0
#include "json_members.hpp"

#include <fmt/format.h>

#include "hermod/base/utf8.hpp"

namespace hermod::store {
namespace {

namespace json = boost::json;

const json::value kNull;

constexpr std::string_view kDigits = "0123456789abcdef";

// Nothing when `text` is no pairs of lower-case digits.
std::optional<std::vector<std::uint8_t>> octets_of_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::vector<std::uint8_t> octets;
  octets.reserve(text.size() / 2);
  for (std::size_t at = 0; at < text.size(); at += 2) {
    const std::size_t high = kDigits.find(text[at]);
    const std::size_t low = kDigits.find(text[at + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    octets.push_back(static_cast<std::uint8_t>(high << 4 | low));
  }
  return octets;
}

std::string hex(Bytes octets) {
  std::string text;
  text.reserve(octets.size() * 2);
  for (const std::uint8_t octet : octets) {
    text += kDigits[octet >> 4];
    text += kDigits[octet & 15];
  }
  return text;
}

}  // namespace

json::value json_octets(Bytes octets) {
  if (octets.data() == nullptr) return nullptr;
  if (is_utf8(octets)) return json::string(as_text(octets));
  return json::object{{"hex", hex(octets)}};
}

json::value json_time(Instant at, const Calendar& calendar) {
  if (at == kNever) return nullptr;
  return calendar.to_calendar(at);
}

void Trouble::say(std::string_view member, std::string_view why) {
  if (what.empty()) what = fmt::format("'{}' {}", member, why);
}

Bytes Trouble::octets(const json::value& value, std::string_view member) {
  if (value.is_null()) return {};
  if (const json::string* text = value.if_string()) return as_bytes({text->data(), text->size()});
  JsonMembers members(value, member, *this);
  const json::value& digits = members.take("hex");
  members.finish();
  const json::string* text = digits.if_string();
  auto octets = text == nullptr ? std::nullopt : octets_of_hex({text->data(), text->size()});
  if (!octets) {
    say(member, "must be a text, or octets as {\"hex\":\"00ff\"}");
    return {};
  }
  if (octets->empty()) octets->reserve(1);  // empty, but there
  kept.push_back(std::move(*octets));
  return kept.back();
}

JsonMembers::JsonMembers(const json::value& value, std::string_view name, Trouble& trouble)
    : object_(value.if_object()), name_(name), trouble_(trouble) {
  if (object_ == nullptr) trouble_.say(name, "must be an object");
}

const json::value& JsonMembers::take(std::string_view member) {
  if (object_ == nullptr) return kNull;
  const json::value* value = object_->if_contains(member);
  if (value == nullptr) {
    trouble_.say(member, fmt::format("is missing in '{}'", name_));
    return kNull;
  }
  ++taken_;
  return *value;
}

bool JsonMembers::boolean(std::string_view member) {
  const bool* is = take(member).if_bool();
  if (is == nullptr) trouble_.say(member, "must be true or false");
  return is != nullptr && *is;
}

std::string JsonMembers::string(std::string_view member) {
  const Bytes is = octets(member);
  if (is.data() == nullptr) trouble_.say(member, "must not be null");
  return std::string{as_text(is)};
}

Instant JsonMembers::time(std::string_view member, const Calendar& calendar) {
  const auto at = maybe_integer<CalendarMs>(member);
  return at ? calendar.to_instant(*at) : kNever;
}

void JsonMembers::finish() {
  if (object_ != nullptr && object_->size() != taken_) {
    trouble_.say(name_, "has members that it must not have");
  }
}

}  // namespace hermod::store
