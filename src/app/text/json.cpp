// SPDX-License-Identifier: Apache-2.0
// Writing JSON strings, and copying JSON while checking it against RFC 8259's grammar.
#include "text/json.hpp"

#include <fmt/format.h>

#include <iterator>

namespace hermod::app {
namespace {

constexpr int kDepthMax = 256;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// Recursive descent over RFC 8259 §2 to §7; copies the tokens that it passes.
class Copier {
 public:
  Copier(std::string_view text, std::string& out) : text_(text), out_(out) {}

  bool document() {
    blanks();
    if (!value(0)) return false;
    blanks();
    return at_ == text_.size();
  }

 private:
  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void copy() { out_ += text_[at_++]; }
  bool take(char c) {
    if (peek() != c || at_ == text_.size()) return false;
    copy();
    return true;
  }
  void blanks() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r') ++at_;
  }

  bool value(int depth) {
    switch (peek()) {
      case '{':
        return list(depth, '}', true);
      case '[':
        return list(depth, ']', false);
      case '"':
        return string();
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:
        return number();
    }
  }

  bool word(std::string_view expected) {
    if (text_.substr(at_, expected.size()) != expected) return false;
    out_ += expected;
    at_ += expected.size();
    return true;
  }

  /// An object (`named`) or an array.
  bool list(int depth, char end, bool named) {
    if (depth == kDepthMax) return false;
    copy();
    blanks();
    if (take(end)) return true;
    do {
      blanks();
      if (named && !name()) return false;
      if (!value(depth + 1)) return false;
      blanks();
    } while (take(','));
    return take(end);
  }

  bool name() {
    if (peek() != '"' || !string()) return false;
    blanks();
    if (!take(':')) return false;
    blanks();
    return true;
  }

  bool string() {
    copy();
    while (at_ < text_.size()) {
      const char c = peek();
      if (static_cast<unsigned char>(c) < 0x20) return false;
      copy();
      if (c == '"') return true;
      if (c == '\\' && !escape()) return false;
    }
    return false;
  }

  bool escape() {
    if (take('u')) {
      for (int i = 0; i < 4; ++i) {
        if (!is_hex(peek())) return false;
        copy();
      }
      return true;
    }
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    if (at_ == text_.size() || kLetters.find(peek()) == std::string_view::npos) return false;
    copy();
    return true;
  }

  bool digits() {
    if (!is_digit(peek())) return false;
    while (is_digit(peek())) copy();
    return true;
  }

  bool number() {
    static_cast<void>(take('-'));
    if (!take('0') && !digits()) return false;
    if (take('.') && !digits()) return false;
    if (take('e') || take('E')) {
      if (!take('+')) static_cast<void>(take('-'));
      return digits();
    }
    return true;
  }

  std::string_view text_;
  std::string& out_;
  std::size_t at_ = 0;
};

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(c));
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

void append_pretty_json(std::string& out, std::string_view compact) {
  std::string open;  // the brackets around the place
  bool in_string = false;
  for (std::size_t i = 0; i < compact.size(); ++i) {
    const char c = compact[i];
    if (in_string) {
      out += c;
      if (c == '\\' && i + 1 < compact.size()) out += compact[++i];
      in_string = c != '"';
      continue;
    }
    if (c == '}' || c == ']') open.pop_back();
    if (c == '}') out.append("\n").append(open.size(), '\t');
    out += c;
    if (c == '{' || c == '[') open += c;
    if (c == '{' && compact[i + 1] != '}') out.append("\n").append(open.size(), '\t');
    if (c == ',' && open.back() == '[') out += ' ';
    if (c == ',' && open.back() == '{') out.append("\n").append(open.size(), '\t');
    if (c == ':') out += '\t';
    in_string = c == '"';
  }
}

bool append_compact_json(std::string& out, std::string_view text) {
  const std::size_t before = out.size();
  if (Copier(text, out).document()) return true;
  out.resize(before);
  return false;
}

}  // namespace hermod::app
