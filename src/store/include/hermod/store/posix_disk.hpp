// SPDX-License-Identifier: Apache-2.0
// A store's directory on a real file system.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/store/disk.hpp"

namespace hermod::store {

/// Nobody but its owner may enter the directory or read the files (modes 0700 and 0600).
/// Thread-safe as far as different files are concerned.
class PosixDisk final : public Disk {
 public:
  /// The file that is locked while the directory is in use; list() does not name it.
  static constexpr std::string_view kLockName = "lock";

  /// Makes the directory when it is missing (not those above it), and locks it until the end of
  /// this. The sentence of an error is for people.
  [[nodiscard]] static std::expected<std::unique_ptr<PosixDisk>, std::string> open(
      const std::string& path);
  /// The same directory for a look at what a broker has left: it must be there, no broker uses it
  /// and none can until the end of this, and whatever would change it fails with EROFS. Others may
  /// look at the same time.
  [[nodiscard]] static std::expected<std::unique_ptr<PosixDisk>, std::string> open_to_read(
      const std::string& path);
  ~PosixDisk() override;
  PosixDisk(const PosixDisk&) = delete;
  PosixDisk& operator=(const PosixDisk&) = delete;

  [[nodiscard]] std::expected<std::unique_ptr<File>, int> open(std::string_view name,
                                                               Mode mode) override;
  [[nodiscard]] std::expected<std::vector<std::string>, int> list() override;
  [[nodiscard]] int remove(std::string_view name) override;
  [[nodiscard]] int rename(std::string_view from, std::string_view to) override;
  [[nodiscard]] int sync_directory() override;

 private:
  PosixDisk() = default;
  int directory_ = -1;
  int lock_ = -1;
  bool read_only_ = false;
};

}  // namespace hermod::store
