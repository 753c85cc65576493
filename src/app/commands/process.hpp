// SPDX-License-Identifier: Apache-2.0
// The broker as a process of the system: in the background, with a file that says its id, as
// another user. It knows neither configuration nor broker. Before other threads start.
#pragma once

#include <sys/types.h>

#include <expected>
#include <string>
#include <vector>

namespace hermod::app {

/// A process that goes to the background, away from its terminal, once it works.
class Background {
 public:
  /// Forks. The child returns; the parent waits for ready() and ends with status 0, or with the
  /// child's status when that ends before.
  [[nodiscard]] static std::expected<Background, std::string> enter();
  /// The parent may end. From here on the standard streams lead nowhere.
  void ready();

 private:
  explicit Background(int parent) : parent_(parent) {}
  int parent_;  // a pipe that the parent listens on
};

/// A file with the id of this process while the object lives.
class PidFile {
 public:
  [[nodiscard]] static std::expected<PidFile, std::string> write(const std::string& path);
  ~PidFile();
  PidFile(PidFile&& other) noexcept;
  PidFile& operator=(PidFile&&) = delete;
  PidFile(const PidFile&) = delete;
  PidFile& operator=(const PidFile&) = delete;

 private:
  explicit PidFile(std::string path) : path_(std::move(path)) {}
  std::string path_;  // empty: moved from
};

[[nodiscard]] bool is_root();
[[nodiscard]] bool has_user(const std::string& user);

/// Goes on as another user with all of his groups, for good. `files` become his, so that they can
/// be opened again. What is wrong, in words.
[[nodiscard]] std::expected<void, std::string> become_user(const std::string& user,
                                                           const std::vector<std::string>& files);

}  // namespace hermod::app
