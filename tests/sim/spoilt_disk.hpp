// SPDX-License-Identifier: Apache-2.0
// Stands between a store and its disk and spoils what is written, to show that the oracles notice.
// Hands everything on in an honest run.
#pragma once

#include "hermod/store/disk.hpp"
#include "options.hpp"

namespace hermod::sim {

/// Where a segment's first record begins, and the octets in front of a record's body
/// (docs/formats/log.md).
inline constexpr std::uint64_t kFirstRecord = 4160;
inline constexpr std::size_t kFrame = 16;

class SpoiltDisk final : public store::Disk {
 public:
  /// `disk` outlives it.
  SpoiltDisk(store::Disk& disk, Sabotage kind) : disk_(disk), kind_(kind) {}

  [[nodiscard]] std::expected<std::unique_ptr<store::File>, int> open(std::string_view name,
                                                                      Mode mode) override;
  [[nodiscard]] std::expected<std::vector<std::string>, int> list() override {
    return disk_.list();
  }
  [[nodiscard]] int remove(std::string_view name) override { return disk_.remove(name); }
  [[nodiscard]] int rename(std::string_view from, std::string_view to) override {
    return disk_.rename(from, to);
  }
  [[nodiscard]] int sync_directory() override { return disk_.sync_directory(); }

 private:
  class SpoiltFile;
  store::Disk& disk_;
  Sabotage kind_;
};

}  // namespace hermod::sim
