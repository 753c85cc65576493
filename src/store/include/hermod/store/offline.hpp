// SPDX-License-Identifier: Apache-2.0
// A store at rest, without a broker: looked through, shown to people, written as text and made of
// text again. Only import_store() writes; the others leave every octet as it is.
//
//   auto disk = PosixDisk::open_to_read("/var/lib/hermod");
//   auto report = check_store(**disk, "/var/lib/hermod");
//
// docs/store.md tells what it is for, docs/formats/export.md the text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hermod/base/rng.hpp"
#include "hermod/store/disk.hpp"

namespace hermod::store {

/// Takes one line, without its end; false: nothing more can be taken.
using LineSink = std::function<bool(std::string_view)>;

/// `folder` is always for people. Errors are sentences for people: there is no store, or its
/// directory cannot be read. What is only damaged is no error, but in the report.

struct CheckReport {
  std::vector<std::string> lines;   ///< what there is, one thing a line
  std::vector<std::string> faults;  ///< what is damaged or missing; none: the store is well
  // Some of it in numbers.
  std::uint64_t messages = 0;    ///< that wait, once for each queue
  std::uint64_t deliveries = 0;  ///< those and the ones that are over
  std::uint64_t values = 0;      ///< retained
  std::uint64_t subscribers = 0;
  std::uint64_t damaged = 0;      ///< ranges of the log
  std::uint64_t torn_octets = 0;  ///< at the end of the log: no damage, nobody was told of it
};
/// Reads everything and verifies it: checksums, sums of rows, what one part says of the other.
[[nodiscard]] std::expected<CheckReport, std::string> check_store(Disk& disk,
                                                                  const std::string& folder);

struct DumpOptions {
  bool metadata = true;
  bool log = true;
  bool payloads = false;  ///< show them; else only their sizes
};
/// One line for each row and record, for people.
[[nodiscard]] std::expected<void, std::string> dump_store(Disk& disk, const std::string& folder,
                                                          const DumpOptions& options,
                                                          const LineSink& sink);

struct ExportReport {
  std::uint64_t lines = 0;
  std::vector<std::string> lost;  ///< what could not be read; none: the text says everything
  bool cut_short = false;         ///< the sink took no more
};
/// Writes all that a start of the broker would find, and what it would refuse but can be read.
[[nodiscard]] std::expected<ExportReport, std::string> export_store(Disk& disk,
                                                                    const std::string& folder,
                                                                    const LineSink& sink);

/// Lines of a text that comes in pieces.
class LineReader {
 public:
  /// Octets that were put into the room; 0: the end. The system's number of an error.
  using Read = std::function<std::expected<std::size_t, int>(std::span<char>)>;
  /// As long as an export writes them, and longer than any packet of a protocol.
  static constexpr std::size_t kLineMax = std::size_t{1} << 30;

  explicit LineReader(Read read, std::size_t line_max = kLineMax)
      : read_(std::move(read)), line_max_(line_max) {}

  /// The next line, without its end, valid until the next call; nothing at the end of the text. An
  /// error is for people: the line is too long, or reading failed.
  [[nodiscard]] std::expected<std::optional<std::string_view>, std::string> next();
  /// Of the line that next() gave, counted from 1.
  [[nodiscard]] std::uint64_t number() const { return number_; }

 private:
  [[nodiscard]] std::expected<bool, std::string> read_more();

  Read read_;
  std::size_t line_max_;
  std::string buffer_;
  std::size_t begin_ = 0;
  std::uint64_t number_ = 0;
};

struct ImportReport {
  std::uint64_t subscribers = 0;
  std::uint64_t messages = 0;  ///< once for each queue
  std::uint64_t values = 0;
  std::uint64_t declarations = 0;
  std::uint64_t orphans = 0;  ///< messages left out, once for each queue: it has no subscriber
  bool complete = true;       ///< the export had read all of its store
};
/// Makes a store of what export_store() has written, on a disk without files. The error says which
/// line is wrong and why, or what the disk refused; then nothing is left on it.
[[nodiscard]] std::expected<ImportReport, std::string> import_store(Disk& disk, Rng& rng,
                                                                    LineReader& text);

}  // namespace hermod::store
