// SPDX-License-Identifier: Apache-2.0
// What the configuration reader has to say about a file: what is wrong with which line and how to
// mend it.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace hermod::app {

/// A line of a configuration file.
struct Place {
  std::string file;
  std::size_t line = 0;  ///< 0: the file as a whole
};

struct Finding {
  enum class Weight : std::uint8_t { kWarning, kError };
  Weight weight = Weight::kError;
  Place place;
  std::string text;

  /// "hermod.conf:3: unknown directive ..."; warnings have "warning: " before the text.
  [[nodiscard]] std::string to_text() const {
    const std::string where =
        place.line == 0 ? place.file : fmt::format("{}:{}", place.file, place.line);
    return fmt::format("{}: {}{}", where, weight == Weight::kWarning ? "warning: " : "", text);
  }
};

}  // namespace hermod::app
