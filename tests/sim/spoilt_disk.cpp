// SPDX-License-Identifier: Apache-2.0
// It walks through what is written as docs/formats/log.md has records: at multiples of 8, with the
// length of the body at 0, the kind at 4 and the checksum at 8.
#include "spoilt_disk.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace hermod::sim {
namespace {

using Octets = std::vector<std::uint8_t>;

constexpr std::size_t kChecksum = 8;

enum class Kind : std::uint8_t { kMessage = 1, kValue = 2, kSettled = 3, kReleased = 4 };

bool is_spoilt(Sabotage sabotage, std::uint8_t kind) {
  switch (sabotage) {
    case Sabotage::kLostRecord:
      return kind == static_cast<std::uint8_t>(Kind::kMessage);
    case Sabotage::kLostValue:
      return kind == static_cast<std::uint8_t>(Kind::kValue);
    case Sabotage::kForgottenSettlement:
      return kind == static_cast<std::uint8_t>(Kind::kSettled) ||
             kind == static_cast<std::uint8_t>(Kind::kReleased);
    default:
      return false;
  }
}

}  // namespace

class SpoiltDisk::SpoiltFile final : public store::File {
 public:
  SpoiltFile(std::unique_ptr<store::File> file, Sabotage kind)
      : file_(std::move(file)), kind_(kind) {}

  std::expected<std::size_t, int> read(std::uint64_t offset,
                                       std::span<std::uint8_t> into) override {
    return file_->read(offset, into);
  }
  int write(std::uint64_t offset, std::span<const Bytes> pieces) override {
    if (offset < kFirstRecord) return file_->write(offset, pieces);
    Octets octets;
    for (const Bytes piece : pieces) octets.insert(octets.end(), piece.begin(), piece.end());
    spoil(octets);
    const Bytes whole{octets};
    return file_->write(offset, {&whole, 1});
  }
  int sync() override { return kind_ == Sabotage::kSkippedSync ? 0 : file_->sync(); }
  void forget_memory() override { file_->forget_memory(); }
  std::expected<std::uint64_t, int> size() override { return file_->size(); }
  int truncate(std::uint64_t size) override { return file_->truncate(size); }

 private:
  void spoil(Octets& octets) const {
    for (std::size_t at = 0; at + kFrame <= octets.size();) {
      std::uint32_t length = 0;
      std::memcpy(&length, octets.data() + at, sizeof(length));
      if (is_spoilt(kind_, octets[at + 4])) octets[at + kChecksum] ^= 1u;
      at = (at + kFrame + length + 7) / 8 * 8;
    }
  }

  std::unique_ptr<store::File> file_;
  Sabotage kind_;
};

std::expected<std::unique_ptr<store::File>, int> SpoiltDisk::open(std::string_view name,
                                                                  Mode mode) {
  auto file = disk_.open(name, mode);
  constexpr std::array kOurs = {Sabotage::kLostRecord, Sabotage::kLostValue,
                                Sabotage::kForgottenSettlement, Sabotage::kSkippedSync};
  const bool ours = std::ranges::find(kOurs, kind_) != kOurs.end();
  if (!file || !ours || !name.starts_with("log-")) return file;
  return std::make_unique<SpoiltFile>(std::move(*file), kind_);
}

}  // namespace hermod::sim
