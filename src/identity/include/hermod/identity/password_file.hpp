// SPDX-License-Identifier: Apache-2.0
// The text of a password file, as mosquitto_passwd writes it:
//   file = *line         line = empty | "#" anything | name ":" hash
// Reading it for a broker, and changing it for whoever keeps it. It opens no files.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/identity/complaint.hpp"
#include "hermod/identity/password_hash.hpp"

namespace hermod::identity {

/// Who there is. Never changed once it is read, so that threads may share it.
class Users {
 public:
  /// All wrong lines, or the users. `file` is the name that complaints are given.
  [[nodiscard]] static std::expected<Users, std::vector<Complaint>> parse(std::string_view text,
                                                                          const std::string& file);

  /// nullptr when there is no such user. Lives as long as this.
  [[nodiscard]] const PasswordHash* find(std::string_view name) const;
  /// A hash that costs as much to check as a user's, for names that nobody has: the time of a
  /// refusal does not tell which names there are. nullptr when there are no users.
  [[nodiscard]] const PasswordHash* decoy() const;
  /// The iterations of the file's first line for SCRAM: what names that nobody has pretend to have.
  [[nodiscard]] std::uint32_t scram_iterations() const { return scram_iterations_; }
  [[nodiscard]] std::size_t size() const { return by_name_.size(); }

 private:
  std::map<std::string, PasswordHash, std::less<>> by_name_;
  std::uint32_t scram_iterations_ = sasl::kScramIterationsMin;
};

/// Why `name` cannot be a user's, or nothing.
[[nodiscard]] std::optional<std::string> wrong_user_name(std::string_view name);

/// The text with that user's line replaced, or with a further line; all else stays as it is.
[[nodiscard]] std::string with_user(std::string_view text, std::string_view name,
                                    const PasswordHash& hash);
/// The text without that user; nothing when there is no such line.
[[nodiscard]] std::optional<std::string> without_user(std::string_view text, std::string_view name);

/// Makes a hash of one password, or says why not.
using Hasher = std::function<std::expected<PasswordHash, std::string>(Bytes password)>;
/// The text with every password that is not hashed replaced by its hash.
[[nodiscard]] std::expected<std::string, Complaint> with_hashes(std::string_view text,
                                                                const std::string& file,
                                                                const Hasher& hasher);

}  // namespace hermod::identity
