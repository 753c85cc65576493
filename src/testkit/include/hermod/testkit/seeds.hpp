// SPDX-License-Identifier: Apache-2.0
// Fuzz seeds made of test vectors: one file per vector, named by it. A generator writes them, and a
// test verifies that the corpus in the tree is what the generator would write.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

namespace hermod::testkit {

/// File name to content.
using Seeds = std::map<std::string, std::vector<std::uint8_t>>;

/// The files of a corpus folder.
[[nodiscard]] inline Seeds read_seeds(const std::filesystem::path& folder) {
  Seeds seeds;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    seeds[entry.path().filename()].assign(std::istreambuf_iterator<char>(file), {});
  }
  return seeds;
}

/// Makes the folder hold exactly these seeds: other files in it are removed.
inline void write_seeds(const std::filesystem::path& folder, const Seeds& seeds) {
  std::filesystem::create_directories(folder);
  for (const auto& [name, content] : read_seeds(folder)) {
    if (!seeds.contains(name)) std::filesystem::remove(folder / name);
  }
  for (const auto& [name, content] : seeds) {
    std::ofstream file(folder / name, std::ios::binary);
    file.write(reinterpret_cast<const char*>(content.data()),
               static_cast<std::streamsize>(content.size()));
  }
}

}  // namespace hermod::testkit
