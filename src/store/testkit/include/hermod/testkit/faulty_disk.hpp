// SPDX-License-Identifier: Apache-2.0
// A disk in memory that does to a store what real ones do to it: power cuts that lose, keep,
// reorder and tear what was not synced, flipped bits, files cut short, no space, errors of writing
// and of syncing. Everything comes from a seed. Works for any files, also those that are
// overwritten.
//
//   FaultyDisk disk(seed);
//   ... write, sync ...
//   disk.power_cut();  // open files are dead; open them again
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/base/rng.hpp"
#include "hermod/store/disk.hpp"

namespace hermod::testkit {

/// Thread-safe. Files that it opened end before it.
class FaultyDisk final : public store::Disk {
 public:
  struct Counts {
    std::uint64_t reads = 0;
    std::uint64_t writes = 0;
    std::uint64_t syncs = 0;
    std::uint64_t directory_syncs = 0;
  };

  explicit FaultyDisk(std::uint64_t seed);
  ~FaultyDisk() override;

  [[nodiscard]] std::expected<std::unique_ptr<store::File>, int> open(std::string_view name,
                                                                      Mode mode) override;
  [[nodiscard]] std::expected<std::vector<std::string>, int> list() override;
  [[nodiscard]] int remove(std::string_view name) override;
  [[nodiscard]] int rename(std::string_view from, std::string_view to) override;
  [[nodiscard]] int sync_directory() override;

  /// Everything that was not synced is lost, kept or torn, each unit of 512 octets or 4 KiB for
  /// itself; how much of it differs from file to file. The power is on again afterwards.
  void power_cut();
  /// Ends like a process that is killed: nothing is lost, but open files are dead.
  void kill();
  /// The power goes with the operation (write, sync, truncation, anything with the directory) that
  /// comes after so many others, which may be done in part: everything is refused with EIO until
  /// power_cut() or kill().
  void stop_after(std::uint64_t operations);
  [[nodiscard]] bool stopped() const;

  /// Octets of all files together; what does not fit is written in part, with ENOSPC.
  void set_capacity(std::uint64_t octets);
  [[nodiscard]] std::uint64_t used() const;
  /// The next `count` writes fail with this error, after a part of them was written.
  void fail_writes(int error, std::uint64_t count = 1);
  /// The next `count` syncs, of files and of the directory, fail with this error. As with Linux,
  /// what was not synced of a file looks written until a power cut (or File::forget_memory()), and
  /// then is lost, whatever syncs came later. Names are as they were before the sync.
  void fail_syncs(int error, std::uint64_t count = 1);
  /// The next `count` reads fail with this error.
  void fail_reads(int error, std::uint64_t count = 1);
  /// Opening fails with EMFILE while so many files are open.
  void set_open_max(std::size_t files);
  [[nodiscard]] std::size_t open_files() const;

  /// Damage, as if it had been on the disk for long. The file must be there.
  void flip_bit(std::string_view name, std::uint64_t offset, unsigned bit);
  void cut_file(std::string_view name, std::uint64_t size);
  void overwrite(std::string_view name, std::uint64_t offset, Bytes octets);
  [[nodiscard]] std::vector<std::uint8_t> octets_of(std::string_view name) const;
  [[nodiscard]] Counts counts() const;

 private:
  class OpenFile;
  struct Change;
  struct Node;
  struct DirectoryChange;
  using NodeRef = std::shared_ptr<Node>;
  using Names = std::map<std::string, NodeRef, std::less<>>;

  enum class Power : std::uint8_t { kOn, kGoes, kOff };

  // All of these are called under the lock.
  [[nodiscard]] Power operate();
  [[nodiscard]] int write(Node& node, std::uint64_t offset, std::span<const Bytes> pieces);
  [[nodiscard]] int truncate(Node& node, std::uint64_t size);
  [[nodiscard]] int sync(Node& node);
  void put(Node& node, std::uint64_t offset, Bytes octets);
  void resize(Node& node, std::uint64_t size);
  [[nodiscard]] int change_names(DirectoryChange change);
  void cut_power_of_names();
  void cut_power_of(Node& node);
  void cut_power_of(Node& node, const Change& change, unsigned mode, std::uint64_t unit);
  void lose(Node& node, std::uint64_t offset, std::uint64_t size);
  void reboot();
  [[nodiscard]] Node& existing(std::string_view name) const;

  mutable std::mutex mutex_;
  SeededRng rng_;
  Names names_;
  Names durable_names_;
  std::vector<DirectoryChange> unsynced_names_;
  std::uint64_t capacity_ = UINT64_MAX;
  std::uint64_t used_ = 0;
  std::uint64_t operations_left_ = UINT64_MAX;
  bool off_ = false;
  std::uint64_t boot_ = 0;  // open files of an earlier one are dead
  std::size_t open_files_ = 0;
  std::size_t open_max_ = SIZE_MAX;
  int write_error_ = 0;
  std::uint64_t writes_to_fail_ = 0;
  int sync_error_ = 0;
  std::uint64_t syncs_to_fail_ = 0;
  int read_error_ = 0;
  std::uint64_t reads_to_fail_ = 0;
  Counts counts_;
};

}  // namespace hermod::testkit
