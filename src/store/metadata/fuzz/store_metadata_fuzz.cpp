// SPDX-License-Identifier: Apache-2.0
// What of the metadata is read from octets, under any octets: the first one says which. A will's
// message, or a line of an export: whatever comes, what is read is what writing it gives back.
#include <cstdio>
#include <cstdlib>

#include "hermod/store/metadata_text.hpp"
#include "message_blob.hpp"

namespace hermod::store {
namespace {

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

const Calendar& calendar() {
  static const Calendar kCalendar({}, {.wall_ms = 1'700'000'000'000}, "boot");
  return kCalendar;
}

std::vector<std::uint8_t> encoded(const model::Message& message) {
  std::vector<std::uint8_t> octets;
  encode_message(message, calendar(), octets);
  return octets;
}

void blob(Bytes octets) {
  const auto message = decode_message(octets, calendar());
  if (!message) return;
  const std::vector<std::uint8_t> once = encoded(**message);
  const auto again = decode_message(once, calendar());
  require(again.has_value(), "a message that cannot be read again");
  require(encoded(**again) == once, "a message that changes");
  const MetadataText text(calendar());
  const auto as_text = text.read_message(text.write(**message));
  require(as_text.has_value(), "a message that its text does not tell");
  require(encoded(**as_text) == once, "a message that its text changes");
}

void line(std::string_view octets) {
  const MetadataText text(calendar());
  const auto read = text.read(octets);
  if (!read) return;
  const auto write = [&](const MetadataText::Line& is) {
    const auto* change = std::get_if<core::Change>(&is);
    return change == nullptr ? MetadataText::write(std::get<Anchor>(is)) : text.write(*change);
  };
  const std::string once = write(*read);
  const auto again = text.read(once);
  require(again.has_value(), "a line that cannot be read again");
  require(write(*again) == once, "a line that changes");
}

}  // namespace
}  // namespace hermod::store

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const hermod::Bytes rest{data + 1, size - 1};
  if (data[0] == 'b') hermod::store::blob(rest);
  if (data[0] == 'l') hermod::store::line(hermod::as_text(rest));
  return 0;
}
