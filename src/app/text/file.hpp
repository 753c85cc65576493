// SPDX-License-Identifier: Apache-2.0
// Small files as a whole: read at once, replaced so that nobody ever sees half of one.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace hermod::app {

/// Octets of the file, or why not, in words.
[[nodiscard]] std::expected<std::string, std::string> read_whole_file(const std::string& path);

/// Makes the file hold `text`, with mode 0600: a new file beside it, written to the disk, takes its
/// place. The error in words; the old file is then as it was.
[[nodiscard]] std::expected<void, std::string> replace_file(const std::string& path,
                                                            std::string_view text);

}  // namespace hermod::app
