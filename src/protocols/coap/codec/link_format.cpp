// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/codec/link_format.hpp"

#include <algorithm>
#include <string>

#include "hermod/base/assert.hpp"
#include "uri_octets.hpp"

namespace hermod::coap {
namespace {

bool is_alnum(char c) {
  return is_digit(c) || is_alpha(c);
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}
bool is_white(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
// RFC 5987 §3.2.1; a '*' ends the names of RFC 5987's own encoding.
bool is_name_char(char c) {
  return is_alnum(c) || std::string_view("!#$&+-.^_`|~*").contains(c);
}
// RFC 6690 §2: ptokenchar
bool is_token_char(char c) {
  return is_alnum(c) || std::string_view("!#$%&'()*+-./:<=>?@[]^_`{|}~").contains(c);
}
bool is_reference_char(char c) {  // RFC 3986 §2.2, §2.3
  return is_path_char(c) || std::string_view("/?#[]").contains(c);
}

bool is_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, is_name_char);
}

// RFC 6690 §2: cardinal; ct is a list of them, and quoted when it has several (RFC 7252 §7.2.1).
bool goes_bare(const LinkAttribute& attribute) {
  return (attribute.name == "sz" || attribute.name == "ct") && !attribute.value.empty() &&
         std::ranges::all_of(attribute.value, is_digit);
}

}  // namespace

std::string LinkAttribute::text() const {
  if (!escaped) return std::string(value);
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\\' && i + 1 < value.size()) ++i;
    out += value[i];
  }
  return out;
}

const LinkAttribute* Link::find(std::string_view name) const {
  const auto at = std::ranges::find(attributes, name, &LinkAttribute::name);
  return at == attributes.end() ? nullptr : &*at;
}

// --- writing ---

void LinkWriter::link(std::string_view target) {
  out_ += first_ ? "<" : ",<";
  first_ = false;
  for (std::size_t i = 0; i < target.size(); ++i) {
    const bool encoded =
        target[i] == '%' && i + 2 < target.size() && is_hex(target[i + 1]) && is_hex(target[i + 2]);
    if (encoded || is_reference_char(target[i])) {
      out_ += target[i];
    } else {
      append_encoded(out_, target[i]);
    }
  }
  out_ += '>';
}

void LinkWriter::text(std::string_view name, std::string_view value) {
  flag(name);
  out_ += "=\"";
  for (const char c : value) {
    // RFC 2616 §2.2: only a quoted-pair may be a control character
    if (c == '"' || c == '\\' || is_control(c)) out_ += '\\';
    out_ += c;
  }
  out_ += '"';
}

void LinkWriter::number(std::string_view name, std::uint64_t value) {
  flag(name);
  out_ += '=';
  out_ += std::to_string(value);
}

void LinkWriter::flag(std::string_view name) {
  HERMOD_ASSERT(!first_ && is_name(name));
  out_ += ';';
  out_ += name;
}

void LinkWriter::write(const Link& link) {
  this->link(link.target);
  for (const LinkAttribute& attribute : link.attributes) {
    if (!attribute.has_value) {
      flag(attribute.name);
    } else if (goes_bare(attribute)) {
      flag(attribute.name);
      out_ += '=';
      out_ += attribute.value;
    } else if (attribute.escaped) {
      text(attribute.name, attribute.text());
    } else {
      text(attribute.name, attribute.value);
    }
  }
}

// --- reading ---

bool LinkReader::take(char c) {
  if (at_end() || text_[at_] != c) return false;
  ++at_;
  return true;
}

void LinkReader::skip_white() {
  while (!at_end() && is_white(text_[at_])) ++at_;
}

std::unexpected<LinkError> LinkReader::fail(std::size_t offset, const char* reason) {
  error_ = LinkError{offset, reason};
  return std::unexpected(*error_);
}

std::expected<std::optional<Link>, LinkError> LinkReader::next() {
  if (error_) return std::unexpected(*error_);
  skip_white();
  if (at_end()) return std::nullopt;
  if (const Step step = read_separator(); !step) return std::unexpected(step.error());
  Link link;
  if (const Step step = read_target(link); !step) return std::unexpected(step.error());
  count_ = 0;
  for (skip_white(); take(';'); skip_white()) {
    if (const Step step = read_attribute(); !step) return std::unexpected(step.error());
  }
  link.attributes = std::span(attributes_).first(count_);
  return link;
}

LinkReader::Step LinkReader::read_separator() {
  if (!first_) {
    if (!take(',')) return fail(at_, "a ',' or ';' goes on behind a link");
    skip_white();
  }
  first_ = false;
  return {};
}

// What a URI-reference may hold is left to who resolves it: its end is what matters here.
LinkReader::Step LinkReader::read_target(Link& link) {
  if (!take('<')) return fail(at_, "a link begins with '<'");
  const std::size_t begin = at_;
  while (!at_end() && text_[at_] != '>') {
    if (is_control(text_[at_])) return fail(at_, "a target has no control characters");
    ++at_;
  }
  link.target = text_.substr(begin, at_ - begin);
  if (!take('>')) return fail(begin - 1, "the target of this link has no closing '>'");
  return {};
}

LinkReader::Step LinkReader::read_attribute() {
  skip_white();
  const std::size_t begin = at_;
  while (!at_end() && is_name_char(text_[at_])) ++at_;
  if (at_ == begin) return fail(at_, "the name of an attribute goes on behind ';'");
  if (count_ == kAttributesMax) return fail(begin, "the link has too many attributes");
  LinkAttribute& attribute = attributes_[count_];
  attribute = {.name = text_.substr(begin, at_ - begin), .has_value = false};
  ++count_;
  skip_white();
  if (!take('=')) return {};
  attribute.has_value = true;
  skip_white();
  return read_value(attribute);
}

LinkReader::Step LinkReader::read_value(LinkAttribute& attribute) {
  if (take('"')) return read_quoted(attribute);
  const std::size_t begin = at_;
  while (!at_end() && is_token_char(text_[at_])) ++at_;
  if (at_ == begin) return fail(at_, "a value, plain or in quotes, goes on behind '='");
  attribute.value = text_.substr(begin, at_ - begin);
  return {};
}

// RFC 2616 §2.2: quoted-string
LinkReader::Step LinkReader::read_quoted(LinkAttribute& attribute) {
  const std::size_t begin = at_;
  for (; !at_end() && text_[at_] != '"'; ++at_) {
    if (text_[at_] == '\\') {
      attribute.escaped = true;
      ++at_;
      if (at_end()) break;
    } else if (is_control(text_[at_]) && !is_white(text_[at_])) {
      return fail(at_, "a control character needs a backslash");
    }
  }
  attribute.value = text_.substr(begin, at_ - begin);
  if (!take('"')) return fail(begin - 1, "the quoted value has no closing quote");
  return {};
}

// --- filtering ---

namespace {

struct Wanted {
  std::string_view value;
  bool prefix = false;

  [[nodiscard]] bool fits(std::string_view text) const {
    return prefix ? text.starts_with(value) : text == value;
  }
  // RFC 6690 §4.1: each value of a relation-type attribute is an attribute of its own.
  [[nodiscard]] bool fits_one_of(std::string_view list) const {
    if (prefix && value.empty()) return true;  // that the attribute exists is enough
    while (!list.empty()) {
      const std::size_t end = std::min(list.find(' '), list.size());
      if (end > 0 && fits(list.substr(0, end))) return true;
      list.remove_prefix(std::min(end + 1, list.size()));
    }
    return false;
  }
};

// rt, if, rel and rev (RFC 6690 §2), ct (RFC 7252 §7.2.1).
bool is_list(std::string_view name) {
  return name == "rt" || name == "if" || name == "rel" || name == "rev" || name == "ct";
}

bool fits(const LinkAttribute& attribute, const Wanted& wanted) {
  const bool list = is_list(attribute.name);
  if (attribute.escaped) {
    const std::string text = attribute.text();
    return list ? wanted.fits_one_of(text) : wanted.fits(text);
  }
  return list ? wanted.fits_one_of(attribute.value) : wanted.fits(attribute.value);
}

}  // namespace

bool matches(const Link& link, std::string_view query) {
  const std::size_t equals = query.find('=');
  const std::string_view name = query.substr(0, equals);
  Wanted wanted{.prefix = true};
  if (equals != std::string_view::npos) {
    wanted.value = query.substr(equals + 1);
    wanted.prefix = wanted.value.ends_with('*');
    if (wanted.prefix) wanted.value.remove_suffix(1);
  }
  if (name == "href") return wanted.fits(link.target);
  return std::ranges::any_of(link.attributes, [&](const LinkAttribute& attribute) {
    return attribute.name == name && fits(attribute, wanted);
  });
}

bool matches_all(const Link& link, std::span<const std::string_view> queries) {
  return std::ranges::all_of(queries, [&](std::string_view query) { return matches(link, query); });
}

}  // namespace hermod::coap
