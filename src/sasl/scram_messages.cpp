// SPDX-License-Identifier: Apache-2.0
#include "hermod/sasl/scram_messages.hpp"

#include <algorithm>
#include <charconv>

#include "hermod/base/utf8.hpp"
#include "hermod/sasl/base64.hpp"

namespace hermod::sasl {
namespace {

constexpr bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// A message taken apart at its commas.
class Fields {
 public:
  explicit Fields(std::string_view text) : rest_(text), more_(!text.empty()) {}

  /// The field up to the next comma, which is taken too.
  std::string_view take() {
    const std::size_t end = std::min(rest_.find(','), rest_.size());
    const std::string_view field = rest_.substr(0, end);
    more_ = end < rest_.size();
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return field;
  }
  /// The value of the next field, which must be the attribute `name`.
  std::optional<std::string_view> take(char name) {
    if (!more_ || rest_.size() < 2 || rest_[0] != name || rest_[1] != '=') return std::nullopt;
    return take().substr(2);
  }
  /// Passes over extensions up to the end or to an attribute `last`; false when one is none, or
  /// mandatory.
  bool pass_extensions(char last = '\0') {
    while (more_) {
      if (rest_.size() >= 2 && rest_[0] == last && rest_[1] == '=') return true;
      const std::string_view field = take();
      if (field.size() < 3 || !is_letter(field[0]) || field[1] != '=' || field[0] == 'm') {
        return false;
      }
    }
    return last == '\0';
  }
  [[nodiscard]] bool at_end() const { return !more_; }
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  bool more_;  // a field follows, perhaps an empty one
};

constexpr std::string_view kTooLong = "the message is too long";
constexpr std::string_view kNotText = "the message is no text in UTF-8";
constexpr std::string_view kForm = "the message has not the form that RFC 5802 gives it";

std::optional<std::string_view> wrong_message(std::string_view message) {
  if (message.size() > kMessageBytesMax) return kTooLong;
  if (message.contains('\0') || !is_utf8(as_bytes(message))) return kNotText;
  return std::nullopt;
}

// RFC 5802 §7: printable = %x21-2B / %x2D-7E
bool is_nonce(std::string_view text) {
  return !text.empty() && text.size() <= kNonceCharsMax &&
         std::ranges::all_of(text, [](char c) { return c >= '!' && c <= '~' && c != ','; });
}

std::optional<std::string> from_saslname(std::string_view text) {
  std::string name;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '=') {
      name.push_back(text[at]);
      continue;
    }
    const std::string_view code = text.substr(at + 1, 2);
    if (code != "2C" && code != "3D") return std::nullopt;
    name.push_back(code == "2C" ? ',' : '=');
    at += 2;
  }
  return name;
}

std::optional<Key> read_key(std::string_view base64) {
  const auto octets = from_base64(base64);
  Key key{};
  if (!octets || octets->size() != key.size()) return std::nullopt;
  std::ranges::copy(*octets, key.begin());
  return key;
}

}  // namespace

std::string to_saslname(std::string_view name) {
  std::string text;
  for (const char c : name) {
    if (c == ',') {
      text += "=2C";
    } else if (c == '=') {
      text += "=3D";
    } else {
      text.push_back(c);
    }
  }
  return text;
}

std::optional<std::string_view> wrong_text(std::string_view text) {
  if (text.empty()) return "it is empty";
  if (!is_utf8(as_bytes(text))) return "it is no UTF-8";
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto c = static_cast<unsigned char>(text[at]);
    const bool c1 = c == 0xC2 && static_cast<unsigned char>(text[at + 1]) < 0xA0;
    if (c < 0x20 || c == 0x7F || c1) return "it holds a control character";
  }
  return std::nullopt;
}

Read<ClientFirst> read_client_first(std::string_view message) {
  if (const auto wrong = wrong_message(message)) return std::unexpected(*wrong);
  Fields fields(message);
  const std::string_view binding = fields.take();
  if (binding.starts_with("p=")) return std::unexpected("channel binding is not offered");
  if (binding != "n" && binding != "y") return std::unexpected(kForm);
  if (fields.at_end()) return std::unexpected(kForm);
  const std::string_view acting_as = fields.take();
  if (fields.at_end()) return std::unexpected(kForm);

  ClientFirst first{.bare = fields.rest()};
  first.gs2_header = message.substr(0, message.size() - first.bare.size());
  if (first.bare.starts_with("m=")) return std::unexpected("a mandatory extension is not known");
  const auto name = fields.take('n');
  const auto nonce = fields.take('r');
  if (!name || !nonce || !is_nonce(*nonce) || !fields.pass_extensions()) {
    return std::unexpected(kForm);
  }
  auto resolved = from_saslname(*name);
  if (!resolved || wrong_text(*resolved)) return std::unexpected("the user name is not valid");
  if (nonce->size() < kNonceCharsMin) return std::unexpected("the nonce is too short");
  if (!acting_as.empty() && acting_as != "a=" + to_saslname(*resolved)) {
    return std::unexpected("nobody may act as somebody else");
  }
  first.name = std::move(*resolved);
  first.nonce = *nonce;
  return first;
}

Read<ServerFirst> read_server_first(std::string_view message) {
  if (const auto wrong = wrong_message(message)) return std::unexpected(*wrong);
  Fields fields(message);
  const auto nonce = fields.take('r');
  const auto salt = fields.take('s');
  const auto number = fields.take('i');
  if (!nonce || !is_nonce(*nonce) || !salt || !number || !fields.pass_extensions()) {
    return std::unexpected(kForm);
  }
  auto octets = from_base64(*salt);
  if (!octets || octets->size() > kScramSaltBytesMax)
    return std::unexpected("the salt is not valid");
  ServerFirst first{.nonce = *nonce, .salt = std::move(*octets)};
  const char* end = number->data() + number->size();
  const auto [at, error] = std::from_chars(number->data(), end, first.iterations);
  if (error != std::errc{} || at != end || number->starts_with('0')) return std::unexpected(kForm);
  return first;
}

Read<ClientFinal> read_client_final(std::string_view message) {
  if (const auto wrong = wrong_message(message)) return std::unexpected(*wrong);
  Fields fields(message);
  const auto binding = fields.take('c');
  const auto nonce = fields.take('r');
  if (!binding || !nonce || !is_nonce(*nonce) || !fields.pass_extensions('p')) {
    return std::unexpected(kForm);
  }
  // Without the comma in front of the proof.
  const std::size_t length = message.size() - fields.rest().size() - 1;
  const auto proof = fields.take('p');
  const auto key = proof ? read_key(*proof) : std::nullopt;
  if (!key || !fields.at_end()) return std::unexpected(kForm);
  return ClientFinal{.without_proof = message.substr(0, length),
                     .channel_binding = *binding,
                     .nonce = *nonce,
                     .proof = *key};
}

Read<ServerFinal> read_server_final(std::string_view message) {
  if (const auto wrong = wrong_message(message)) return std::unexpected(*wrong);
  Fields fields(message);
  if (const auto error = fields.take('e')) {
    if (error->empty() || !fields.pass_extensions()) return std::unexpected(kForm);
    return ServerFinal{.error = error};
  }
  const auto signature = fields.take('v');
  const auto key = signature ? read_key(*signature) : std::nullopt;
  if (!key || !fields.pass_extensions()) return std::unexpected(kForm);
  return ServerFinal{.signature = *key};
}

}  // namespace hermod::sasl
