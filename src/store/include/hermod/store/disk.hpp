// SPDX-License-Identifier: Apache-2.0
// The one directory that a store lies in, as the store sees it: so that tests can tear, lose and
// flip what was written. Errors are the system's numbers (errno), 0: none.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/base/bytes.hpp"

namespace hermod::store {

/// An open file. One thread at a time may write it; reading beside that is allowed.
class File {
 public:
  virtual ~File() = default;
  /// Octets that were read: fewer than asked for only at the end of the file.
  [[nodiscard]] virtual std::expected<std::size_t, int> read(std::uint64_t offset,
                                                             std::span<std::uint8_t> into) = 0;
  /// Writes the pieces one behind the other. After an error any part of them may be there.
  [[nodiscard]] virtual int write(std::uint64_t offset, std::span<const Bytes> pieces) = 0;
  /// What was written before survives a power cut once this has returned 0. After an error nobody
  /// knows what of it does, and a later success says nothing of it.
  [[nodiscard]] virtual int sync() = 0;
  /// What is read from now on comes from the disk, as far as the system can tell: after a sync that
  /// failed in an earlier life of the program, what lies in memory may be on no disk.
  virtual void forget_memory() = 0;
  [[nodiscard]] virtual std::expected<std::uint64_t, int> size() = 0;
  [[nodiscard]] virtual int truncate(std::uint64_t size) = 0;
};

class Disk {
 public:
  enum class Mode : std::uint8_t {
    kRead,
    kWrite,   ///< there must be one
    kCreate,  ///< there must be none
  };
  virtual ~Disk() = default;
  [[nodiscard]] virtual std::expected<std::unique_ptr<File>, int> open(std::string_view name,
                                                                       Mode mode) = 0;
  /// Names of all files, sorted.
  [[nodiscard]] virtual std::expected<std::vector<std::string>, int> list() = 0;
  [[nodiscard]] virtual int remove(std::string_view name) = 0;
  [[nodiscard]] virtual int rename(std::string_view from, std::string_view to) = 0;
  /// Files that were created, removed or renamed before stay so once this has returned 0.
  [[nodiscard]] virtual int sync_directory() = 0;
};

}  // namespace hermod::store
