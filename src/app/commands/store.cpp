// SPDX-License-Identifier: Apache-2.0
#include "commands/store.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include "commands/exit_code.hpp"
#include "commands/process.hpp"
#include "commands/store_folder.hpp"
#include "config/reader.hpp"
#include "hermod/base/rng.hpp"
#include "hermod/store/offline.hpp"
#include "hermod/store/posix_disk.hpp"
#include "protocols.hpp"
#include "text/suggest.hpp"

namespace hermod::app {
namespace {

constexpr std::array<std::string_view, 4> kVerbs{"check", "dump", "export", "import"};

/// One run of `hermod store`.
class StoreCommand {
 public:
  explicit StoreCommand(const StoreOptions& options) : options_(options), folder_(options.folder) {}

  int run() {
    if (!find_folder()) return kExitUsage;
    if (options_.verb == StoreVerb::kImport) return import();
    auto disk = store::PosixDisk::open_to_read(folder_);
    if (!disk) return fail(disk.error() + ".");
    switch (options_.verb) {
      case StoreVerb::kCheck:
        return check(**disk);
      case StoreVerb::kDump:
        return dump(**disk);
      default:
        return write_export(**disk);
    }
  }

 private:
  // Where `hermod serve` would keep it, with the same configuration.
  bool find_folder() {
    if (!folder_.empty()) return true;
    if (!options_.config_file.empty()) {
      const auto names = protocol_names();
      const ConfigReading reading = read_config_file(options_.config_file, names);
      if (reading.refused()) {
        for (const Finding& finding : reading.findings) {
          fmt::print(stderr, "{}\n", finding.to_text());
        }
        return false;
      }
      folder_ = reading.config.store.folder;
    }
    if (folder_.empty()) folder_ = default_store_folder(is_root());
    return true;
  }

  void say(std::string_view text) const {
    fmt::print(stderr, "{}\n", options_.program.error_line(text));
  }
  [[nodiscard]] int fail(std::string_view text) const {
    say(text);
    return kExitError;
  }

  // --- reading ---

  // A line on the standard output; false: it takes no more.
  bool put(std::string_view line) {
    if (std::fwrite(line.data(), 1, line.size(), stdout) == line.size() &&
        std::fputc('\n', stdout) != EOF) {
      return true;
    }
    output_error_ = errno;
    return false;
  }
  // The exit status once all is written.
  [[nodiscard]] int finish(int status) {
    if (output_error_ == 0 && std::fflush(stdout) != 0) output_error_ = errno;
    if (output_error_ == 0) return status;
    return fail(fmt::format("the standard output takes no more: {}. What was written is not whole.",
                            std::strerror(output_error_)));
  }

  int check(store::Disk& disk) {
    const auto report = store::check_store(disk, folder_);
    if (!report) return fail(report.error() + ".");
    for (const std::string& line : report->lines) (void)put(line);
    for (const std::string& fault : report->faults) (void)put("fault: " + fault);
    if (report->faults.empty()) {
      (void)put(fmt::format("{}: the store is well.", folder_));
      return finish(kExitOk);
    }
    (void)put(fmt::format("{}: {} faults. \"hermod store export\" saves what can be read.", folder_,
                          report->faults.size()));
    return finish(kExitError);
  }

  int dump(store::Disk& disk) {
    const bool all = options_.metadata == options_.log;
    const store::DumpOptions what{.metadata = all || options_.metadata,
                                  .log = all || options_.log,
                                  .payloads = options_.payload};
    const auto dumped =
        store::dump_store(disk, folder_, what, [this](std::string_view line) { return put(line); });
    if (!dumped) return fail(dumped.error() + ".");
    return finish(kExitOk);
  }

  int write_export(store::Disk& disk) {
    const auto report =
        store::export_store(disk, folder_, [this](std::string_view line) { return put(line); });
    if (!report) return fail(report.error() + ".");
    for (const std::string& lost : report->lost) say(lost + ".");
    return finish(report->lost.empty() ? kExitOk : kExitError);
  }

  // --- writing ---

  int import() {
    std::error_code ignored;
    const std::string lock = fmt::format("{}/{}", folder_, store::PosixDisk::kLockName);
    const bool had_folder = std::filesystem::exists(folder_, ignored);
    const bool had_lock = std::filesystem::exists(lock, ignored);
    if (auto made = make_folder_above(folder_); !made) return fail(made.error());
    auto disk = store::PosixDisk::open(folder_);
    if (!disk) return fail(disk.error() + ".");
    store::LineReader text(read_input);
    SystemRng rng;
    const auto report = store::import_store(**disk, rng, text);
    if (!report) {
      disk->reset();
      if (!had_lock) std::filesystem::remove(lock, ignored);
      if (!had_folder) std::filesystem::remove(folder_, ignored);
      return fail(report.error() + ". Nothing was imported.");
    }
    if (!report->complete) say("the export says that not all of its store could be read.");
    if (report->orphans > 0) {
      say(fmt::format("{} messages are left out: the export has no subscribers for their queues.",
                      report->orphans));
    }
    (void)put(fmt::format(
        "{}: {} subscribers, {} messages in queues, {} retained values, {} "
        "declared topics.",
        folder_, report->subscribers, report->messages, report->values, report->declarations));
    return finish(kExitOk);
  }

  static std::expected<std::size_t, int> read_input(std::span<char> into) {
    while (true) {
      const ssize_t got = ::read(STDIN_FILENO, into.data(), into.size());
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EINTR) return std::unexpected(errno);
    }
  }

  const StoreOptions& options_;
  std::string folder_;
  int output_error_ = 0;
};

}  // namespace

std::expected<void, std::string> complete(StoreOptions& options) {
  const auto verb = std::ranges::find(kVerbs, options.action);
  if (options.action.empty()) {
    return std::unexpected("what to do is missing: check, dump, export or import.");
  }
  if (verb == kVerbs.end()) {
    return std::unexpected(fmt::format("there is no \"{}\": it is check, dump, export or import.{}",
                                       options.action, did_you_mean(options.action, kVerbs)));
  }
  options.verb = static_cast<StoreVerb>(verb - kVerbs.begin());
  const bool for_dump = options.metadata || options.log || options.payload;
  if (for_dump && options.verb != StoreVerb::kDump) {
    return std::unexpected("--metadata, --log and --payload are for dump: leave them out.");
  }
  if (!options.folder.empty() && !options.config_file.empty()) {
    return std::unexpected("the directory and -c both say where the store is: give one of them.");
  }
  return {};
}

int run_store(StoreOptions& options) {
  return StoreCommand(options).run();
}

}  // namespace hermod::app
