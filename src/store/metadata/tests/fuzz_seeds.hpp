// SPDX-License-Identifier: Apache-2.0
// The fuzz corpus: the samples as store_metadata_fuzz.cpp reads them.
#pragma once

#include <fmt/format.h>

#include "hermod/store/metadata_text.hpp"
#include "hermod/testkit/seeds.hpp"
#include "message_blob.hpp"
#include "samples.hpp"

namespace hermod::store {

inline testkit::Seeds fuzz_seeds() {
  const Calendar calendar({}, {.wall_ms = 1'700'000'000'000}, "boot");
  const MetadataText text(calendar);
  testkit::Seeds seeds;
  const auto add_line = [&](std::string_view name, std::string_view line) {
    auto& octets = seeds[fmt::format("line-{}", name)];
    octets.push_back('l');
    octets.insert(octets.end(), line.begin(), line.end());
  };
  const auto add_blob = [&](std::string_view name, const model::Message& message) {
    auto& octets = seeds[fmt::format("blob-{}", name)];
    octets.push_back('b');
    encode_message(message, calendar, octets);
  };
  const FullMessage full;
  add_blob("full", full.message);
  add_blob("empty", {});
  int number = 0;
  for (const core::Change& change : full_changes()) {
    add_line(std::to_string(++number), text.write(change));
  }
  add_line("anchor", MetadataText::write(Anchor{.calendar_ms = 1, .boot_id = "11111111-2222"}));
  return seeds;
}

}  // namespace hermod::store
