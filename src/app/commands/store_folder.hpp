// SPDX-License-Identifier: Apache-2.0
// Where the store lies when nobody says it, and whose its files are.
#pragma once

#include <expected>
#include <string>
#include <vector>

namespace hermod::app {

/// $STATE_DIRECTORY, as systemd sets it; /var/lib/hermod for root; $XDG_STATE_HOME/hermod, or
/// ~/.local/state/hermod.
[[nodiscard]] std::string default_store_folder(bool root);
/// Makes the directories above it, where they are missing. What is wrong, in words.
[[nodiscard]] std::expected<void, std::string> make_folder_above(const std::string& folder);
/// Appends the folder and what lies in it.
void add_folder(const std::string& folder, std::vector<std::string>& files);

}  // namespace hermod::app
