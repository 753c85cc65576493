// SPDX-License-Identifier: Apache-2.0
#include "hermod/testkit/faulty_disk.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "hermod/base/assert.hpp"

namespace hermod::testkit {
namespace {

using Octets = std::vector<std::uint8_t>;

void copy_to(Octets& octets, std::uint64_t offset, Bytes from) {
  if (octets.size() < offset + from.size()) octets.resize(offset + from.size());
  std::ranges::copy(from, octets.begin() + static_cast<std::ptrdiff_t>(offset));
}

}  // namespace

// What was done to a file since it was synced.
struct FaultyDisk::Change {
  bool truncation = false;
  std::uint64_t at = 0;  // offset, or the size to truncate to
  Octets octets;
};

struct FaultyDisk::Node {
  Octets current;
  Octets durable;
  std::vector<Change> unsynced;
  bool linked = true;  // it has a name: it counts for the capacity
};

struct FaultyDisk::DirectoryChange {
  std::string removed;  // "": none
  std::string added;    // "": none
  NodeRef node;         // that gets the name

  void apply(Names& names) const {
    if (!removed.empty()) names.erase(removed);
    if (!added.empty()) names[added] = node;
  }
};

class FaultyDisk::OpenFile final : public store::File {
 public:
  OpenFile(FaultyDisk& disk, NodeRef node, bool writable)
      : disk_(disk), node_(std::move(node)), boot_(disk.boot_), writable_(writable) {
    ++disk_.open_files_;
  }
  ~OpenFile() override {
    const std::lock_guard lock(disk_.mutex_);
    --disk_.open_files_;
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  std::expected<std::size_t, int> read(std::uint64_t offset,
                                       std::span<std::uint8_t> into) override {
    const std::lock_guard lock(disk_.mutex_);
    ++disk_.counts_.reads;
    if (dead()) return std::unexpected(EIO);
    if (disk_.reads_to_fail_ > 0) {
      --disk_.reads_to_fail_;
      return std::unexpected(disk_.read_error_);
    }
    const Octets& octets = node_->current;
    if (offset >= octets.size()) return std::size_t{0};
    const std::size_t count = std::min<std::size_t>(into.size(), octets.size() - offset);
    std::ranges::copy(Bytes(octets).subspan(offset, count), into.begin());
    return count;
  }
  int write(std::uint64_t offset, std::span<const Bytes> pieces) override {
    const std::lock_guard lock(disk_.mutex_);
    if (!writable_) return EBADF;
    return dead() ? EIO : disk_.write(*node_, offset, pieces);
  }
  int sync() override {
    const std::lock_guard lock(disk_.mutex_);
    return dead() ? EIO : disk_.sync(*node_);
  }
  void forget_memory() override {
    const std::lock_guard lock(disk_.mutex_);
    if (!node_->unsynced.empty()) return;  // no system drops what it still has to write
    disk_.resize(*node_, node_->durable.size());
    node_->current = node_->durable;
  }
  std::expected<std::uint64_t, int> size() override {
    const std::lock_guard lock(disk_.mutex_);
    if (dead()) return std::unexpected(EIO);
    return node_->current.size();
  }
  int truncate(std::uint64_t size) override {
    const std::lock_guard lock(disk_.mutex_);
    if (!writable_) return EBADF;
    return dead() ? EIO : disk_.truncate(*node_, size);
  }

 private:
  [[nodiscard]] bool dead() const { return boot_ != disk_.boot_ || disk_.off_; }

  FaultyDisk& disk_;
  const NodeRef node_;
  const std::uint64_t boot_;
  const bool writable_;
};

FaultyDisk::FaultyDisk(std::uint64_t seed) : rng_(seed) {}
FaultyDisk::~FaultyDisk() = default;

std::expected<std::unique_ptr<store::File>, int> FaultyDisk::open(std::string_view name,
                                                                  Mode mode) {
  const std::lock_guard lock(mutex_);
  if (off_) return std::unexpected(EIO);
  if (open_files_ >= open_max_) return std::unexpected(EMFILE);
  auto found = names_.find(name);
  if (mode == Mode::kCreate) {
    if (found != names_.end()) return std::unexpected(EEXIST);
    if (used_ >= capacity_) return std::unexpected(ENOSPC);
    const int error = change_names({.added = std::string(name), .node = std::make_shared<Node>()});
    if (error != 0) return std::unexpected(error);
    found = names_.find(name);
  }
  if (found == names_.end()) return std::unexpected(ENOENT);
  return std::make_unique<OpenFile>(*this, found->second, mode != Mode::kRead);
}

std::expected<std::vector<std::string>, int> FaultyDisk::list() {
  const std::lock_guard lock(mutex_);
  if (off_) return std::unexpected(EIO);
  std::vector<std::string> names;
  for (const auto& [name, node] : names_) names.push_back(name);
  return names;
}

int FaultyDisk::remove(std::string_view name) {
  const std::lock_guard lock(mutex_);
  if (!names_.contains(name)) return off_ ? EIO : ENOENT;
  return change_names({.removed = std::string(name)});
}

int FaultyDisk::rename(std::string_view from, std::string_view to) {
  const std::lock_guard lock(mutex_);
  const auto found = names_.find(from);
  if (found == names_.end()) return off_ ? EIO : ENOENT;
  if (from == to) return 0;
  return change_names(
      {.removed = std::string(from), .added = std::string(to), .node = found->second});
}

// What the power takes away in the middle is what was not synced.
int FaultyDisk::change_names(DirectoryChange change) {
  const Power power = operate();
  if (power == Power::kOff) return EIO;
  for (const std::string& name : {change.removed, change.added}) {
    const auto found = names_.find(name);
    if (found == names_.end() || found->second == change.node) continue;
    found->second->linked = false;
    used_ -= found->second->current.size();
  }
  change.apply(names_);
  unsynced_names_.push_back(std::move(change));
  return power == Power::kOn ? 0 : EIO;
}

int FaultyDisk::sync_directory() {
  const std::lock_guard lock(mutex_);
  ++counts_.directory_syncs;
  if (operate() != Power::kOn) return EIO;
  const bool fails = syncs_to_fail_ > 0;
  if (fails) --syncs_to_fail_;
  if (fails) return sync_error_;
  for (const DirectoryChange& change : unsynced_names_) change.apply(durable_names_);
  unsynced_names_.clear();
  return 0;
}

FaultyDisk::Power FaultyDisk::operate() {
  if (off_) return Power::kOff;
  if (operations_left_ == UINT64_MAX) return Power::kOn;
  if (operations_left_-- > 0) return Power::kOn;
  off_ = true;
  return Power::kGoes;
}

int FaultyDisk::write(Node& node, std::uint64_t offset, std::span<const Bytes> pieces) {
  ++counts_.writes;
  const Power power = operate();
  if (power == Power::kOff) return EIO;
  Octets octets;
  for (const Bytes piece : pieces) octets.insert(octets.end(), piece.begin(), piece.end());
  int error = power == Power::kOn ? 0 : EIO;
  if (error == 0 && writes_to_fail_ > 0) {
    --writes_to_fail_;
    error = write_error_;
  }
  if (error != 0) octets.resize(rng_.below(octets.size() + 1));
  // What lies behind the end of the file needs room, a gap too.
  const std::uint64_t room = capacity_ > used_ ? capacity_ - used_ : 0;
  const std::uint64_t fits = node.current.size() + (node.linked ? room : UINT32_MAX);
  if (offset + octets.size() > fits) {
    octets.resize(fits > offset ? fits - offset : 0);
    if (error == 0) error = ENOSPC;
  }
  put(node, offset, octets);
  return error;
}

void FaultyDisk::put(Node& node, std::uint64_t offset, Bytes octets) {
  if (octets.empty()) return;
  resize(node, std::max<std::uint64_t>(node.current.size(), offset + octets.size()));
  copy_to(node.current, offset, octets);
  node.unsynced.push_back({.at = offset, .octets = {octets.begin(), octets.end()}});
}

void FaultyDisk::resize(Node& node, std::uint64_t size) {
  if (node.linked) used_ = used_ - node.current.size() + size;
  node.current.resize(size);
}

int FaultyDisk::truncate(Node& node, std::uint64_t size) {
  const Power power = operate();
  if (power == Power::kOff) return EIO;
  resize(node, size);
  node.unsynced.push_back({.truncation = true, .at = size});
  return power == Power::kOn ? 0 : EIO;
}

int FaultyDisk::sync(Node& node) {
  ++counts_.syncs;
  const Power power = operate();
  if (power != Power::kOn) return EIO;
  const bool fails = syncs_to_fail_ > 0;
  if (fails) --syncs_to_fail_;
  for (const Change& change : node.unsynced) {
    if (fails) break;
    if (change.truncation) {
      node.durable.resize(change.at);
    } else {
      copy_to(node.durable, change.at, change.octets);
    }
  }
  // After a failure the system takes it for written, though it is not.
  node.unsynced.clear();
  return fails ? sync_error_ : 0;
}

void FaultyDisk::power_cut() {
  const std::lock_guard lock(mutex_);
  cut_power_of_names();
  for (const auto& [name, node] : durable_names_) cut_power_of(*node);
  names_ = durable_names_;
  used_ = 0;
  for (const auto& [name, node] : names_) {
    node->linked = true;
    used_ += node->current.size();
  }
  reboot();
}

void FaultyDisk::kill() {
  const std::lock_guard lock(mutex_);
  reboot();
}

void FaultyDisk::reboot() {
  ++boot_;
  off_ = false;
  operations_left_ = UINT64_MAX;
}

void FaultyDisk::cut_power_of_names() {
  const std::uint64_t mode = rng_.below(4);  // lost, kept, the first ones kept, each by itself
  const std::uint64_t first = rng_.below(unsynced_names_.size() + 1);
  for (std::size_t i = 0; i < unsynced_names_.size(); ++i) {
    const bool kept = mode == 1 || (mode == 2 && i < first) || (mode == 3 && rng_.below(2) == 0);
    if (kept) unsynced_names_[i].apply(durable_names_);
  }
  unsynced_names_.clear();
}

void FaultyDisk::cut_power_of(Node& node) {
  const auto mode = static_cast<unsigned>(rng_.below(4));  // as with names
  const std::uint64_t unit = rng_.below(2) == 0 ? 512 : 4096;
  const std::uint64_t first = rng_.below(node.unsynced.size() + 1);
  for (std::size_t i = 0; i < node.unsynced.size(); ++i) {
    const unsigned of_this = mode != 2 ? mode : i < first ? 1u : i == first ? 3u : 0u;
    cut_power_of(node, node.unsynced[i], of_this, unit);
  }
  node.unsynced.clear();
  node.current = node.durable;
}

void FaultyDisk::cut_power_of(Node& node, const Change& change, unsigned mode, std::uint64_t unit) {
  if (change.truncation) {
    if (mode == 1 || (mode == 3 && rng_.below(2) == 0)) node.durable.resize(change.at);
    return;
  }
  for (std::size_t done = 0; done < change.octets.size();) {
    const std::uint64_t offset = change.at + done;
    const std::size_t count =
        std::min<std::size_t>(change.octets.size() - done, unit - offset % unit);
    const Bytes octets = Bytes(change.octets).subspan(done, count);
    done += count;
    const std::uint64_t fate = mode == 3 ? rng_.below(5) : mode;  // 1, 2: kept; 3, 4: torn
    if (fate == 0) {
      if (rng_.below(4) == 0) lose(node, offset, count);
    } else if (fate < 3) {
      copy_to(node.durable, offset, octets);
    } else {
      const std::size_t half = rng_.below(count + 1);
      if (fate == 3) copy_to(node.durable, offset, octets.first(half));
      if (fate == 4) copy_to(node.durable, offset + half, octets.subspan(half));
    }
  }
}

// The file has got its size, but not these octets: what is new in it is zeros, or was of another.
void FaultyDisk::lose(Node& node, std::uint64_t offset, std::uint64_t size) {
  std::uint64_t at = std::max<std::uint64_t>(node.durable.size(), offset);
  if (node.durable.size() < offset + size) node.durable.resize(offset + size);
  if (rng_.below(2) == 0) return;
  for (; at < offset + size; ++at) node.durable[at] = static_cast<std::uint8_t>(rng_.next());
}

void FaultyDisk::stop_after(std::uint64_t operations) {
  const std::lock_guard lock(mutex_);
  operations_left_ = operations;
}

bool FaultyDisk::stopped() const {
  const std::lock_guard lock(mutex_);
  return off_;
}

void FaultyDisk::set_capacity(std::uint64_t octets) {
  const std::lock_guard lock(mutex_);
  capacity_ = octets;
}

std::uint64_t FaultyDisk::used() const {
  const std::lock_guard lock(mutex_);
  return used_;
}

void FaultyDisk::fail_writes(int error, std::uint64_t count) {
  const std::lock_guard lock(mutex_);
  write_error_ = error;
  writes_to_fail_ = count;
}

void FaultyDisk::fail_syncs(int error, std::uint64_t count) {
  const std::lock_guard lock(mutex_);
  sync_error_ = error;
  syncs_to_fail_ = count;
}

void FaultyDisk::fail_reads(int error, std::uint64_t count) {
  const std::lock_guard lock(mutex_);
  read_error_ = error;
  reads_to_fail_ = count;
}

void FaultyDisk::set_open_max(std::size_t files) {
  const std::lock_guard lock(mutex_);
  open_max_ = files;
}

std::size_t FaultyDisk::open_files() const {
  const std::lock_guard lock(mutex_);
  return open_files_;
}

FaultyDisk::Node& FaultyDisk::existing(std::string_view name) const {
  const auto found = names_.find(name);
  HERMOD_ASSERT(found != names_.end());
  return *found->second;
}

void FaultyDisk::flip_bit(std::string_view name, std::uint64_t offset, unsigned bit) {
  const std::lock_guard lock(mutex_);
  Node& node = existing(name);
  const auto flip = [&](Octets& octets) {
    if (offset < octets.size()) octets[offset] ^= static_cast<std::uint8_t>(1u << bit);
  };
  flip(node.current);
  flip(node.durable);
}

void FaultyDisk::cut_file(std::string_view name, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  Node& node = existing(name);
  resize(node, std::min<std::uint64_t>(size, node.current.size()));
  node.durable.resize(std::min<std::uint64_t>(size, node.durable.size()));
}

void FaultyDisk::overwrite(std::string_view name, std::uint64_t offset, Bytes octets) {
  const std::lock_guard lock(mutex_);
  Node& node = existing(name);
  resize(node, std::max<std::uint64_t>(node.current.size(), offset + octets.size()));
  copy_to(node.current, offset, octets);
  copy_to(node.durable, offset, octets);
}

std::vector<std::uint8_t> FaultyDisk::octets_of(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  return existing(name).current;
}

FaultyDisk::Counts FaultyDisk::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace hermod::testkit
