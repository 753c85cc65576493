// SPDX-License-Identifier: Apache-2.0
// A disk that is memory, and does everything that it is asked for.
#pragma once

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hermod/store/disk.hpp"

namespace hermod::store {

class MemoryDisk final : public Disk {
 public:
  using Octets = std::vector<std::uint8_t>;

  [[nodiscard]] std::expected<std::unique_ptr<File>, int> open(std::string_view name,
                                                               Mode mode) override {
    const std::string key(name);
    if (mode == Mode::kCreate && files_.contains(key)) return std::unexpected(EEXIST);
    if (mode == Mode::kCreate) files_[key] = std::make_shared<Octets>();
    const auto found = files_.find(key);
    if (found == files_.end()) return std::unexpected(ENOENT);
    return std::make_unique<OpenFile>(found->second);
  }
  [[nodiscard]] std::expected<std::vector<std::string>, int> list() override {
    std::vector<std::string> names;
    for (const auto& [name, octets] : files_) names.push_back(name);
    return names;
  }
  [[nodiscard]] int remove(std::string_view name) override {
    return files_.erase(std::string(name)) == 1 ? 0 : ENOENT;
  }
  [[nodiscard]] int rename(std::string_view from, std::string_view to) override {
    auto node = files_.extract(std::string(from));
    if (node.empty()) return ENOENT;
    files_[std::string(to)] = node.mapped();
    return 0;
  }
  [[nodiscard]] int sync_directory() override { return 0; }

  /// The octets of a file; it is made when it is not there.
  Octets& octets(const std::string& name) {
    auto& file = files_[name];
    if (file == nullptr) file = std::make_shared<Octets>();
    return *file;
  }

 private:
  class OpenFile final : public File {
   public:
    explicit OpenFile(std::shared_ptr<Octets> octets) : octets_(std::move(octets)) {}
    std::expected<std::size_t, int> read(std::uint64_t offset,
                                         std::span<std::uint8_t> into) override {
      if (offset >= octets_->size()) return std::size_t{0};
      const std::size_t count = std::min<std::size_t>(into.size(), octets_->size() - offset);
      std::ranges::copy(Bytes{*octets_}.subspan(offset, count), into.begin());
      return count;
    }
    int write(std::uint64_t offset, std::span<const Bytes> pieces) override {
      for (const Bytes piece : pieces) {
        octets_->resize(std::max<std::size_t>(octets_->size(), offset + piece.size()));
        std::ranges::copy(piece, octets_->begin() + static_cast<std::ptrdiff_t>(offset));
        offset += piece.size();
      }
      return 0;
    }
    int sync() override { return 0; }
    std::expected<std::uint64_t, int> size() override { return octets_->size(); }
    int truncate(std::uint64_t size) override {
      octets_->resize(size);
      return 0;
    }

   private:
    std::shared_ptr<Octets> octets_;
  };

  std::map<std::string, std::shared_ptr<Octets>> files_;
};

}  // namespace hermod::store
