// SPDX-License-Identifier: Apache-2.0
#include "hermod/identity/password_file.hpp"

#include <algorithm>
#include <utility>

#include "text_lines.hpp"

namespace hermod::identity {
namespace {

struct Entry {
  std::string_view name;
  std::string_view secret;
};

bool is_entry(std::string_view line) {
  return !trim_end(line).empty() && line.front() != '#';
}

std::expected<Entry, std::string> read_entry(std::string_view line) {
  const std::string_view text = trim_end(line);
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    return std::unexpected("the line has no colon. The form is: user:hash, as hermod passwd makes");
  }
  const Entry entry{text.substr(0, colon), text.substr(colon + 1)};
  if (auto wrong = wrong_user_name(entry.name)) return std::unexpected(std::move(*wrong));
  if (entry.secret.empty()) {
    return std::unexpected(fmt::format(
        "user \"{}\" has no password. Give one: hermod passwd FILE {}", entry.name, entry.name));
  }
  return entry;
}

}  // namespace

std::optional<std::string> wrong_user_name(std::string_view name) {
  if (name.empty()) return "the user name is empty.";
  if (name.size() > 65'535) return "the user name is longer than 65535 octets.";
  if (name.front() == '#') return "a user name cannot begin with \"#\": the line is a comment.";
  const bool wrong = std::ranges::any_of(
      name, [](char c) { return c == ':' || static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  if (wrong) return "a user name holds neither colons nor control characters.";
  return std::nullopt;
}

std::expected<Users, std::vector<Complaint>> Users::parse(std::string_view text,
                                                          const std::string& file) {
  Users users;
  std::vector<Complaint> complaints;
  bool scram_seen = false;
  for (TextLines lines{text}; !lines.done();) {
    const std::string_view line = lines.next();
    if (!is_entry(line)) continue;
    const auto complain = [&](std::string what) {
      complaints.push_back({file, lines.number(), std::move(what)});
    };
    const auto entry = read_entry(line);
    if (!entry) {
      complain(entry.error());
      continue;
    }
    auto hash = parse_password_hash(entry->secret);
    if (hash && hash->kind == HashKind::kScramSha256 && !std::exchange(scram_seen, true)) {
      users.scram_iterations_ = hash->iterations;
    }
    if (!hash) {
      complain(fmt::format("user \"{}\": {}", entry->name, hash.error()));
    } else if (!users.by_name_.emplace(entry->name, std::move(*hash)).second) {
      complain(fmt::format("user \"{}\" is there already, in a line above. Remove one of them.",
                           entry->name));
    }
  }
  if (!complaints.empty()) return std::unexpected(std::move(complaints));
  return users;
}

const PasswordHash* Users::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &found->second;
}

const PasswordHash* Users::decoy() const {
  return by_name_.empty() ? nullptr : &by_name_.begin()->second;
}

std::string with_user(std::string_view text, std::string_view name, const PasswordHash& hash) {
  const std::string line = fmt::format("{}:{}\n", name, hash.to_text());
  std::string out;
  bool replaced = false;
  for (TextLines lines{text}; !lines.done();) {
    const std::string_view old = lines.next();
    if (is_entry(old) && old.substr(0, old.find(':')) == name) {
      if (!replaced) out += line;
      replaced = true;
    } else {
      out.append(old).push_back('\n');
    }
  }
  if (!replaced) out += line;
  return out;
}

std::optional<std::string> without_user(std::string_view text, std::string_view name) {
  std::string out;
  bool found = false;
  for (TextLines lines{text}; !lines.done();) {
    const std::string_view old = lines.next();
    if (is_entry(old) && old.substr(0, old.find(':')) == name) {
      found = true;
    } else {
      out.append(old).push_back('\n');
    }
  }
  if (!found) return std::nullopt;
  return out;
}

std::expected<std::string, Complaint> with_hashes(std::string_view text, const std::string& file,
                                                  const Hasher& hasher) {
  std::string out;
  for (TextLines lines{text}; !lines.done();) {
    const std::string_view line = lines.next();
    if (!is_entry(line)) {
      out.append(line).push_back('\n');
      continue;
    }
    const auto entry = read_entry(line);
    if (!entry) return std::unexpected(Complaint{file, lines.number(), entry.error()});
    if (looks_hashed(entry->secret)) {
      // What is damaged is not taken for a password: nobody would ever get in with it.
      if (const auto hash = parse_password_hash(entry->secret); !hash) {
        return std::unexpected(Complaint{file, lines.number(), hash.error()});
      }
      out.append(line).push_back('\n');
      continue;
    }
    const auto hash = hasher(as_bytes(entry->secret));
    if (!hash) {
      return std::unexpected(Complaint{file, lines.number(), hash.error()});
    }
    out += fmt::format("{}:{}\n", entry->name, hash->to_text());
  }
  return out;
}

}  // namespace hermod::identity
