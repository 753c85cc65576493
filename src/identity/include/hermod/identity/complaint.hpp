// SPDX-License-Identifier: Apache-2.0
// What is wrong with a line of a password or ACL file, for the person who wrote it.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <string>

namespace hermod::identity {

struct Complaint {
  std::string file;
  std::size_t line = 0;
  std::string text;  ///< what, why, and how to mend it
  [[nodiscard]] std::string to_text() const { return fmt::format("{}:{}: {}", file, line, text); }
};

}  // namespace hermod::identity
