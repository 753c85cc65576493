// SPDX-License-Identifier: Apache-2.0
#include "commands/identity_files.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "text/file.hpp"

namespace hermod::app {
namespace {

using identity::AccessRules;
using identity::Complaint;
using identity::Users;

/// What is wrong or odd, a line each.
struct Words {
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
  void add(std::vector<std::string>& to, const std::vector<Complaint>& complaints) {
    constexpr std::size_t kShown = 20;
    for (std::size_t i = 0; i < std::min(complaints.size(), kShown); ++i) {
      to.push_back(complaints[i].to_text());
    }
    if (complaints.size() > kShown) {
      to.push_back(
          fmt::format("{}: and {} lines more", complaints[0].file, complaints.size() - kShown));
    }
  }
};

std::optional<std::string> text_of(std::string_view directive, const std::string& path,
                                   const Place& place, Words& words) {
  auto text = read_whole_file(path);
  if (text) return std::move(*text);
  words.errors.push_back(Finding{.place = place,
                                 .text = fmt::format("\"{}\" names \"{}\", which cannot be read: "
                                                     "{}.",
                                                     directive, path, text.error())}
                             .to_text());
  return std::nullopt;
}

std::optional<Users> read_users(const AccessConfig& access, Words& words) {
  const auto text = text_of("password_file", access.password_file, access.password_place, words);
  if (!text) return std::nullopt;
  auto users = Users::parse(*text, access.password_file);
  if (users) return std::move(*users);
  words.add(words.errors, users.error());
  return std::nullopt;
}

std::optional<AccessRules> read_rules(const AccessConfig& access, Words& words) {
  const auto text = text_of("acl_file", access.acl_file, access.acl_place, words);
  if (!text) return std::nullopt;
  auto reading = AccessRules::parse(*text, access.acl_file);
  words.add(words.warnings, reading.warnings);
  if (reading.errors.empty()) return std::move(reading.rules);
  words.add(words.errors, reading.errors);
  return std::nullopt;
}

}  // namespace

std::expected<IdentityFiles, std::vector<std::string>> IdentityFiles::load(const Config& config) {
  IdentityFiles files;
  Words words;
  for (const ListenerConfig& listener : config.listeners) {
    const AccessConfig& access = config.access_of(listener);
    if (access.password_file.empty() && access.acl_file.empty()) continue;
    if (files.directory(access)) continue;
    identity::Record record;
    if (!access.password_file.empty()) record.users = read_users(access, words);
    if (!access.acl_file.empty()) record.rules = read_rules(access, words);
    files.pairs_.push_back({access, std::make_shared<identity::Directory>(std::move(record))});
  }
  if (!words.errors.empty()) return std::unexpected(std::move(words.errors));
  files.warnings_ = std::move(words.warnings);
  return files;
}

std::shared_ptr<const identity::Directory> IdentityFiles::directory(
    const AccessConfig& access) const {
  const auto found = std::ranges::find_if(pairs_, [&access](const Pair& pair) {
    return pair.access.password_file == access.password_file &&
           pair.access.acl_file == access.acl_file;
  });
  return found == pairs_.end() ? nullptr : found->directory;
}

void IdentityFiles::reload(Log& log) {
  for (const Pair& pair : pairs_) {
    Words words;
    identity::Record record = *pair.directory->record();
    const auto keep = [&](const std::string& path) {
      for (const std::string& error : words.errors) log.print(LogLevel::kError, "{}", error);
      log.print(LogLevel::kError, "{}: what was read before stays in force.", path);
      words.errors.clear();
    };
    if (!pair.access.password_file.empty()) {
      if (auto users = read_users(pair.access, words)) {
        record.users = std::move(*users);
      } else {
        keep(pair.access.password_file);
      }
    }
    if (!pair.access.acl_file.empty()) {
      if (auto rules = read_rules(pair.access, words)) {
        record.rules = std::move(*rules);
      } else {
        keep(pair.access.acl_file);
      }
    }
    for (const std::string& warning : words.warnings) {
      log.print(LogLevel::kWarning, "{}", warning);
    }
    pair.directory->replace(std::move(record));
  }
}

}  // namespace hermod::app
