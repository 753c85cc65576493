// SPDX-License-Identifier: Apache-2.0
#include "offline/memory_disk.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace hermod::store {

// The octets of a file, which it gives back to the room when it ends.
class MemoryDisk::Node {
 public:
  explicit Node(std::shared_ptr<Room> room) : room_(std::move(room)) {}
  ~Node() { room_->left += octets_.size(); }
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  [[nodiscard]] Bytes octets() const { return octets_; }
  [[nodiscard]] std::uint8_t* at(std::uint64_t offset) { return octets_.data() + offset; }
  // False: there is no room.
  [[nodiscard]] bool resize(std::uint64_t size) {
    if (size > octets_.size() && size - octets_.size() > room_->left) return false;
    room_->left += octets_.size();
    room_->left -= size;
    octets_.resize(size);
    return true;
  }

 private:
  std::shared_ptr<Room> room_;
  std::vector<std::uint8_t> octets_;
};

class MemoryDisk::OpenFile final : public File {
 public:
  OpenFile(std::shared_ptr<Node> node, bool writable)
      : node_(std::move(node)), writable_(writable) {}

  std::expected<std::size_t, int> read(std::uint64_t offset,
                                       std::span<std::uint8_t> into) override {
    const Bytes octets = node_->octets();
    if (offset >= octets.size()) return 0;
    const std::size_t count =
        std::min<std::size_t>(into.size(), octets.size() - static_cast<std::size_t>(offset));
    if (count != 0) std::memcpy(into.data(), octets.data() + offset, count);
    return count;
  }

  int write(std::uint64_t offset, std::span<const Bytes> pieces) override {
    if (!writable_) return EBADF;
    for (const Bytes piece : pieces) {
      if (piece.empty()) continue;
      const std::uint64_t end = offset + piece.size();
      if (end > node_->octets().size() && !node_->resize(end)) return ENOSPC;
      std::memcpy(node_->at(offset), piece.data(), piece.size());
      offset = end;
    }
    return 0;
  }

  int sync() override { return 0; }
  void forget_memory() override {}
  std::expected<std::uint64_t, int> size() override { return node_->octets().size(); }
  int truncate(std::uint64_t size) override {
    if (!writable_) return EBADF;
    return node_->resize(size) ? 0 : ENOSPC;
  }

 private:
  std::shared_ptr<Node> node_;
  bool writable_;
};

int MemoryDisk::copy_from(Disk& disk, const std::string& name, std::uint64_t octets_max) {
  const auto from = disk.open(name, Mode::kRead);
  if (!from) return from.error() == ENOENT ? 0 : from.error();
  const auto size = (*from)->size();
  if (!size) return size.error();
  auto node = std::make_shared<Node>(room_);
  if (*size > octets_max || !node->resize(*size)) return ENOSPC;
  const auto got = (*from)->read(0, {node->at(0), static_cast<std::size_t>(*size)});
  if (!got) return got.error();
  (void)node->resize(*got);
  files_[name] = std::move(node);
  return 0;
}

bool MemoryDisk::holds(std::string_view name) const {
  return !octets_of(name).empty();
}

Bytes MemoryDisk::octets_of(std::string_view name) const {
  const auto found = files_.find(name);
  return found == files_.end() ? Bytes{} : found->second->octets();
}

std::expected<std::unique_ptr<File>, int> MemoryDisk::open(std::string_view name, Mode mode) {
  auto found = files_.find(name);
  if (mode == Mode::kCreate) {
    if (found != files_.end()) return std::unexpected(EEXIST);
    found = files_.emplace(name, std::make_shared<Node>(room_)).first;
  }
  if (found == files_.end()) return std::unexpected(ENOENT);
  return std::make_unique<OpenFile>(found->second, mode != Mode::kRead);
}

std::expected<std::vector<std::string>, int> MemoryDisk::list() {
  std::vector<std::string> names;
  for (const auto& [name, node] : files_) names.push_back(name);
  return names;
}

int MemoryDisk::remove(std::string_view name) {
  const auto found = files_.find(name);
  if (found == files_.end()) return ENOENT;
  files_.erase(found);
  return 0;
}

int MemoryDisk::rename(std::string_view from, std::string_view to) {
  const auto found = files_.find(from);
  if (found == files_.end()) return ENOENT;
  auto node = std::move(found->second);
  files_.erase(found);
  files_.insert_or_assign(std::string{to}, std::move(node));
  return 0;
}

}  // namespace hermod::store
