// SPDX-License-Identifier: Apache-2.0
// The password and ACL files of a configuration: read at start, where every wrong line is refused,
// and again while the broker runs, where what is wrong changes nothing.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "hermod/base/log.hpp"
#include "hermod/identity/directory.hpp"

namespace hermod::app {

class IdentityFiles {
 public:
  /// Reads the files of all listeners. The error is what is wrong, a line each.
  [[nodiscard]] static std::expected<IdentityFiles, std::vector<std::string>> load(
      const Config& config);

  /// What the broker asks; nullptr when there is neither file.
  [[nodiscard]] std::shared_ptr<const identity::Directory> directory(
      const AccessConfig& access) const;
  /// Reads all again; a file that cannot be read or has a wrong line keeps its old content, and the
  /// log says why. The broker is to be told afterwards.
  void reload(Log& log);
  /// What is odd in the files, for the log.
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }
  [[nodiscard]] bool empty() const { return pairs_.empty(); }

 private:
  struct Pair {
    AccessConfig access;
    std::shared_ptr<identity::Directory> directory;
  };
  std::vector<Pair> pairs_;
  std::vector<std::string> warnings_;
};

}  // namespace hermod::app
