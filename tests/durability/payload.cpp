// SPDX-License-Identifier: Apache-2.0
#include "payload.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "hermod/base/hash.hpp"
#include "hermod/base/rng.hpp"

namespace hermod::durability {
namespace {

constexpr std::size_t kHashAt = 16;
constexpr std::uint64_t kKey = 0x6475726162696c65u;  // the same on both sides, nothing secret

// The filling is hashed first: its hash is the key for the head.
std::uint64_t hash_of(Bytes payload) {
  const auto* text = reinterpret_cast<const char*>(payload.data());
  const std::uint64_t filling =
      keyed_hash(std::string_view(text, payload.size()).substr(kPayloadMin), kKey);
  return keyed_hash({text, kHashAt}, filling);
}

}  // namespace

std::vector<std::uint8_t> make_payload(const Label& label, std::size_t size) {
  std::vector<std::uint8_t> out(std::max(size, kPayloadMin));
  std::memcpy(out.data(), &label.producer, 4);
  std::memcpy(out.data() + 4, &label.topic, 4);
  std::memcpy(out.data() + 8, &label.sequence, 8);
  SeededRng rng(label.sequence * 0x10001 + label.producer * 0x101 + label.topic);
  for (std::size_t at = kPayloadMin; at < out.size(); at += 8) {
    const std::uint64_t word = rng.next();
    std::memcpy(out.data() + at, &word, std::min<std::size_t>(8, out.size() - at));
  }
  const std::uint64_t hash = hash_of(out);
  std::memcpy(out.data() + kHashAt, &hash, 8);
  return out;
}

std::optional<Label> read_payload(Bytes payload) {
  if (payload.size() < kPayloadMin) return std::nullopt;
  std::uint64_t hash = 0;
  std::memcpy(&hash, payload.data() + kHashAt, 8);
  if (hash != hash_of(payload)) return std::nullopt;
  Label label;
  std::memcpy(&label.producer, payload.data(), 4);
  std::memcpy(&label.topic, payload.data() + 4, 4);
  std::memcpy(&label.sequence, payload.data() + 8, 8);
  return label;
}

}  // namespace hermod::durability
