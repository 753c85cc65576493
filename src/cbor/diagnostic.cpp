// SPDX-License-Identifier: Apache-2.0
#include "hermod/cbor/diagnostic.hpp"

#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <limits>
#include <string_view>

namespace hermod::cbor {
namespace {

// With a point or an exponent, which an integer has not (RFC 8949 §8).
std::string number_text(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
  std::string text = fmt::format("{}", number);
  if (text.contains('.')) return text;
  const std::size_t mantissa = std::min(text.find('e'), text.size());
  return text.insert(mantissa, ".0");
}

std::string simple_text(std::uint64_t value) {
  switch (value) {
    case kFalse:
      return "false";
    case kTrue:
      return "true";
    case kNull:
      return "null";
    case kUndefined:
      return "undefined";
    default:
      return fmt::format("simple({})", value);
  }
}

std::string negative_text(std::uint64_t n) {
  if (n == std::numeric_limits<std::uint64_t>::max()) return "-18446744073709551616";
  return fmt::format("-{}", n + 1);
}

void append_hex(std::string& out, Bytes bytes) {
  out += "h'";
  for (const std::uint8_t octet : bytes) fmt::format_to(std::back_inserter(out), "{:02x}", octet);
  out += '\'';
}

// As JSON writes it (RFC 8949 §8). Control characters beyond ASCII are escaped too: U+0080 to
// U+009F, two octets that begin with 0xC2.
void append_text(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octet = static_cast<std::uint8_t>(text[i]);
    const auto following = static_cast<std::uint8_t>(i + 1 < text.size() ? text[i + 1] : 0);
    if (octet == '"' || octet == '\\') {
      out += '\\';
      out += text[i];
    } else if (octet == '\n') {
      out += "\\n";
    } else if (octet < 0x20 || octet == 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", octet);
    } else if (octet == 0xc2 && following < 0xa0) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", following);
      ++i;
    } else {
      out += text[i];
    }
  }
  out += '"';
}

// Recursion is as deep as the reader allows.
class Printer {
 public:
  Printer(Bytes octets, Layout layout) : reader_(octets), indented_(layout == Layout::kIndented) {}

  std::expected<std::string, Error> run() {
    if (const Step step = value(); !step) return std::unexpected(step.error());
    if (const Step step = reader_.finish(); !step) return std::unexpected(step.error());
    return std::move(out_);
  }

 private:
  using Step = std::expected<void, Error>;

  Step value() {
    const auto item = reader_.next();
    if (!item) return std::unexpected(item.error());
    return print(*item);
  }

  Step print(const Item& item) {
    switch (item.kind) {
      case Kind::kUnsigned:
        out_ += std::to_string(item.value);
        return {};
      case Kind::kNegative:
        out_ += negative_text(item.value);
        return {};
      case Kind::kBytes:
        if (item.indefinite) return entries('(', ')', item);
        append_hex(out_, item.bytes);
        return {};
      case Kind::kText:
        if (item.indefinite) return entries('(', ')', item);
        append_text(out_, as_text(item.bytes));
        return {};
      case Kind::kArray:
        return entries('[', ']', item);
      case Kind::kMap:
        return entries('{', '}', item);
      case Kind::kTag:
        return tagged(item);
      case Kind::kSimple:
        out_ += simple_text(item.value);
        return {};
      case Kind::kFloat:
        out_ += number_text(item.number);
        return {};
      case Kind::kEnd:
        return {};  // entries() takes the ends
    }
    return {};
  }

  Step tagged(const Item& item) {
    out_ += std::to_string(item.value) + '(';
    if (const Step step = value(); !step) return step;
    out_ += ')';
    return {};
  }

  Step entries(char open, char close, const Item& container) {
    out_ += open;
    if (container.indefinite) out_ += indented_ ? "_" : "_ ";
    ++level_;
    bool first = true;
    while (true) {
      const auto item = reader_.next();
      if (!item) return std::unexpected(item.error());
      if (item->kind == Kind::kEnd) break;
      if (!first) out_ += indented_ ? "," : ", ";
      first = false;
      new_line();
      if (const Step step = print(*item); !step) return step;
      if (container.kind != Kind::kMap) continue;
      out_ += ": ";
      if (const Step step = value(); !step) return step;
    }
    --level_;
    if (!first) new_line();
    out_ += close;
    return {};
  }

  void new_line() {
    if (!indented_) return;
    out_ += '\n';
    out_.append(2 * level_, ' ');
  }

  Reader reader_;
  bool indented_;
  std::size_t level_ = 0;
  std::string out_;
};

}  // namespace

std::expected<std::string, Error> diagnostic(Bytes octets, Layout layout) {
  return Printer(octets, layout).run();
}

}  // namespace hermod::cbor
