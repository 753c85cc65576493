// SPDX-License-Identifier: Apache-2.0
// A directory in memory: for the copy of the metadata that is looked at, so that nothing of the
// store itself is written, and for metadata that goes to the disk only when it is whole.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "hermod/store/disk.hpp"

namespace hermod::store {

/// Of one thread. Files that it opened may outlive it.
class MemoryDisk final : public Disk {
 public:
  /// All files together have at most so many octets: more is ENOSPC.
  explicit MemoryDisk(std::uint64_t octets_max) : room_(std::make_shared<Room>(octets_max)) {}

  /// Takes a file of another disk over; 0 also when there is none. The system's number of an error;
  /// ENOSPC when it is larger than `octets_max`, too.
  [[nodiscard]] int copy_from(Disk& disk, const std::string& name, std::uint64_t octets_max);
  /// Whether such a file is there and has octets.
  [[nodiscard]] bool holds(std::string_view name) const;
  /// What is in a file; empty when there is none. Valid until it is written or removed.
  [[nodiscard]] Bytes octets_of(std::string_view name) const;

  [[nodiscard]] std::expected<std::unique_ptr<File>, int> open(std::string_view name,
                                                               Mode mode) override;
  [[nodiscard]] std::expected<std::vector<std::string>, int> list() override;
  [[nodiscard]] int remove(std::string_view name) override;
  [[nodiscard]] int rename(std::string_view from, std::string_view to) override;
  [[nodiscard]] int sync_directory() override { return 0; }

 private:
  struct Room {
    explicit Room(std::uint64_t octets) : left(octets) {}
    std::uint64_t left;
  };
  class Node;
  class OpenFile;

  std::shared_ptr<Room> room_;
  std::map<std::string, std::shared_ptr<Node>, std::less<>> files_;
};

}  // namespace hermod::store
