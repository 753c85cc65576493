// SPDX-License-Identifier: Apache-2.0
// Access rules in the grammar and with the meaning of mosquitto 2.0's acl_file:
//   file  = *line
//   line  = empty | "#" anything | "user" blank NAME | ("topic" | "pattern") [blank access] blank F
//   access = "read" | "write" | "readwrite" | "deny"; without it: readwrite
// Topic lines belong to the user line above them, those before the first one to clients without a
// user name. Pattern lines belong to everybody; %c and %u in them stand for client id and user
// name. Denials come first, and what no line allows is forbidden. It opens no files.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/core/authorizer.hpp"
#include "hermod/identity/complaint.hpp"

namespace hermod::identity {

/// Never changed once it is read, so that threads may share it.
class AccessRules {
 public:
  struct Reading;
  /// `file` is the name that complaints are given.
  [[nodiscard]] static Reading parse(std::string_view text, const std::string& file);

  /// Publishing is writing, and everything else is reading. Subscribing is always allowed: what is
  /// delivered is checked.
  [[nodiscard]] bool allows(const core::Actor& actor, core::Action action,
                            std::string_view topic) const;
  /// Whether `actor` may read every topic that `filter` matches. False also when that is not plain
  /// from a single line.
  [[nodiscard]] bool allows_reading_all(const core::Actor& actor, std::string_view filter) const;

  [[nodiscard]] std::size_t size() const;

 private:
  enum Access : std::uint8_t { kDeny = 0, kRead = 1, kWrite = 2 };
  struct Line {
    std::string filter;
    std::uint8_t access = kDeny;
    bool about_client = false;  ///< holds %c
    bool about_user = false;    ///< holds %u
  };
  struct Lines {
    std::vector<Line> denials;
    std::vector<Line> permits;
    void add(Line line);
  };
  enum class Finding : std::uint8_t { kDenied, kAllowed, kNothing };
  class Reader;

  [[nodiscard]] const Lines* lines_of(const core::Actor& actor) const;
  template <typename Denies, typename Permits>
  [[nodiscard]] Finding look(const Lines* lines, const core::Actor& actor, std::uint8_t access,
                             Denies&& denies, Permits&& permits) const;
  template <typename Denies, typename Permits>
  [[nodiscard]] bool decide(const core::Actor& actor, std::uint8_t access, Denies&& denies,
                            Permits&& permits) const;

  std::map<std::string, Lines, std::less<>> users_;
  Lines anonymous_;
  Lines patterns_;
};

struct AccessRules::Reading {
  AccessRules rules;                ///< only to be used when there are no errors
  std::vector<Complaint> errors;    ///< lines that are wrong
  std::vector<Complaint> warnings;  ///< lines that do what was hardly meant
};

}  // namespace hermod::identity
