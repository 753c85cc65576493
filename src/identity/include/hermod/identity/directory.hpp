// SPDX-License-Identifier: Apache-2.0
// Users and access rules that several threads read while one replaces them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "hermod/identity/access_rules.hpp"
#include "hermod/identity/password_file.hpp"
#include "hermod/sasl/scram.hpp"

namespace hermod::identity {

/// What held at one time. Never changed.
struct Record {
  std::optional<Users> users;        ///< nothing: no password file, names are not checked
  std::optional<AccessRules> rules;  ///< nothing: no ACL file, everything is allowed
};

class Directory {
 public:
  explicit Directory(Record record);

  /// From any thread. Who asks for version() sees the change.
  void replace(Record record) {
    auto made = std::make_shared<const Record>(std::move(record));
    const std::scoped_lock lock{mutex_};
    record_ = std::move(made);
    version_.fetch_add(1, std::memory_order_release);
  }
  [[nodiscard]] std::shared_ptr<const Record> record() const {
    const std::scoped_lock lock{mutex_};
    return record_;
  }
  /// Random, the same for all who share the directory: what names that nobody has seem to have is
  /// made of it, so that it does not change from login to login.
  [[nodiscard]] const sasl::Key& secret() const { return secret_; }
  /// Grows with each change.
  [[nodiscard]] std::uint64_t version() const { return version_.load(std::memory_order_acquire); }

 private:
  sasl::Key secret_{};
  mutable std::mutex mutex_;  // guards record_
  std::shared_ptr<const Record> record_;
  std::atomic<std::uint64_t> version_ = 0;
};

}  // namespace hermod::identity
