// SPDX-License-Identifier: Apache-2.0
#include "commands/store_folder.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace hermod::app {
namespace {

std::string_view environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view{} : std::string_view{value};
}

}  // namespace

std::string default_store_folder(bool root) {
  if (std::string_view state = environment("STATE_DIRECTORY"); !state.empty()) {
    return std::string{state.substr(0, state.find(':'))};  // the first of several
  }
  if (root) return "/var/lib/hermod";
  if (const std::string_view state = environment("XDG_STATE_HOME"); !state.empty()) {
    return fmt::format("{}/hermod", state);
  }
  const std::string_view home = environment("HOME");
  return home.empty() ? "hermod-store" : fmt::format("{}/.local/state/hermod", home);
}

std::expected<void, std::string> make_folder_above(const std::string& folder) {
  std::error_code error;
  const std::filesystem::path above =
      std::filesystem::absolute(folder, error).lexically_normal().parent_path();
  if (!error) std::filesystem::create_directories(above, error);
  if (!error) return {};
  return std::unexpected(
      fmt::format("cannot make {}, where the store is to lie: {}. Choose another directory with "
                  "persistence_location, or run with --ephemeral.",
                  above.string(), error.message()));
}

void add_folder(const std::string& folder, std::vector<std::string>& files) {
  files.push_back(folder);
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    files.push_back(entry.path().string());
  }
}

}  // namespace hermod::app
