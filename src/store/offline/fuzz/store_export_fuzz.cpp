// SPDX-License-Identifier: Apache-2.0
// The text of an export under any octets: what is imported is a store that starts, and its export
// makes the same one again; what is refused leaves nothing.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "hermod/store/offline.hpp"
#include "hermod/store/store.hpp"
#include "hermod/testkit/faulty_disk.hpp"

namespace hermod::store {
namespace {

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

bool import_text(Disk& disk, std::string_view text) {
  SeededRng rng(1);
  LineReader lines([&](std::span<char> into) -> std::expected<std::size_t, int> {
    const std::size_t count = text.copy(into.data(), into.size());
    text.remove_prefix(count);
    return count;
  });
  return import_store(disk, rng, lines).has_value();
}

std::string export_text(Disk& disk) {
  std::string text;
  const auto report = export_store(disk, "", [&](std::string_view line) {
    text.append(line).append("\n");
    return true;
  });
  require(report.has_value() && report->lost.empty(), "an import that is damaged");
  return text;
}

void run(std::string_view text) {
  testkit::FaultyDisk disk(1);
  if (!import_text(disk, text)) {
    require(disk.list()->empty(), "an import that left something");
    return;
  }
  const std::string once = export_text(disk);
  testkit::FaultyDisk other(1);
  require(import_text(other, once), "an export that is refused");
  require(export_text(other) == once, "an export that changes");
  SeededRng rng(1);
  NullLog log;
  const auto store = Store::open(disk, rng, log, {});
  require(store.has_value() && (*store)->recover().has_value(), "a store that does not start");
}

}  // namespace
}  // namespace hermod::store

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hermod::store::run(hermod::as_text({data, size}));
  return 0;
}
