// SPDX-License-Identifier: Apache-2.0
#include "commands/options_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <optional>
#include <utility>

#include "text/file.hpp"

namespace hermod::app {
namespace {

using Wrong = std::unexpected<std::string>;

/// Up to the next blank, which is taken away too.
std::string_view take_word(std::string_view& text) {
  const std::size_t end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

void append_line(std::vector<std::string>& words, std::string_view line) {
  const std::string_view option = take_word(line);
  words.emplace_back(option);
  if (option == "-D" || option == "--property") {
    words.emplace_back(take_word(line));  // the command
    const std::string_view name = take_word(line);
    words.emplace_back(name);
    if (name == "user-property") words.emplace_back(take_word(line));
  }
  if (!line.empty()) words.emplace_back(line);
}

std::optional<std::string> default_file(const Program& program) {
  const auto in = [](const char* variable, std::string_view folder) -> std::optional<std::string> {
    const char* const value = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): one thread
    if (value == nullptr) return std::nullopt;
    return fmt::format("{}{}", value, folder);
  };
  auto folder = in("XDG_CONFIG_HOME", "/");
  if (!folder) folder = in("HOME", "/.config/");
  if (!folder) return std::nullopt;
  std::string file = *folder + program.options_file();
  std::error_code error;
  return std::filesystem::is_regular_file(file, error) ? std::optional(std::move(file))
                                                       : std::nullopt;
}

}  // namespace

std::vector<std::string> option_words(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.starts_with('#'))
      line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    if (line.empty() || line.front() == '#') continue;
    append_line(words, line);
  }
  return words;
}

std::expected<std::vector<std::string>, std::string> with_options_file(std::span<char* const> words,
                                                                       const Program& program) {
  std::vector<std::string> said;
  std::optional<std::string> file;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (std::string_view(words[i]) != "-o") {
      said.emplace_back(words[i]);
      continue;
    }
    if (file) return Wrong("-o is given twice: there is one options file.");
    if (++i == words.size()) return Wrong("-o needs the path of a file with options: -o FILE.");
    file = words[i];
  }
  if (!file) file = default_file(program);
  std::vector<std::string> all;
  all.emplace_back(words.empty() ? "" : words[0]);
  if (file) {
    const auto text = read_whole_file(*file);
    if (!text) {
      return Wrong(fmt::format(
          "the options file \"{}\" cannot be read: {}. It has one option a line, such as: -h "
          "broker.example.com",
          *file, text.error()));
    }
    std::ranges::move(option_words(*text), std::back_inserter(all));
  }
  std::ranges::move(said, std::back_inserter(all));
  return all;
}

}  // namespace hermod::app
