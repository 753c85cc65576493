// SPDX-License-Identifier: Apache-2.0
// core::Authorizer over a directory: names and passwords are checked in the pool, topics by the
// access rules, with a memory of what was decided last.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "hermod/core/authorizer.hpp"
#include "hermod/identity/directory.hpp"
#include "hermod/identity/hashing_pool.hpp"

namespace hermod::identity {

/// One per shard and listener, used by the shard's thread.
class FileAuthorizer final : public core::Authorizer {
 public:
  struct Parts {
    std::shared_ptr<const Directory> directory;
    /// Needed when the directory has users; outlives this.
    HashingPool* pool = nullptr;
    bool allow_anonymous = false;  ///< whoever presents no name comes in
    std::uint64_t hash_key = 0;    ///< of the memory
    std::function<void()> wake;    ///< makes the shard turn; from any thread
  };
  explicit FileAuthorizer(Parts parts);
  ~FileAuthorizer() override;

  [[nodiscard]] std::optional<core::Login> authenticate(const core::Credentials& credentials,
                                                        core::LoginTicket ticket) override;
  void cancel(core::LoginTicket ticket) override;
  /// SCRAM-SHA-256, where there is a password file.
  [[nodiscard]] std::unique_ptr<core::Exchange> begin_exchange(std::string_view method) override;
  [[nodiscard]] core::Verdict authorize(const core::Actor& actor, core::Action action,
                                        std::string_view name) override;
  [[nodiscard]] bool has_rules() const override { return record_->rules.has_value(); }
  [[nodiscard]] bool may_read_all(const core::Actor& actor, std::string_view filter) override;
  [[nodiscard]] bool has_news() const override;
  [[nodiscard]] std::optional<core::Login> next_login() override;
  [[nodiscard]] bool take_changes() override;
  [[nodiscard]] bool still_valid(const core::Actor& actor, std::uint64_t proof) override;

 private:
  static constexpr std::size_t kRemembered = 1'024;  // a power of two
  static constexpr std::size_t kKeyMax = 256;        // octets; longer ones are decided each time
  struct Memory {
    std::string key;
    bool allowed = false;
  };
  [[nodiscard]] bool remembered(const core::Actor& actor, core::Action action,
                                std::string_view topic);

  Parts parts_;
  std::shared_ptr<const Record> record_;
  std::uint64_t version_ = 0;
  std::shared_ptr<Desk> desk_;
  std::vector<Desk::Result> results_;  // newest first
  std::vector<Memory> memory_;         // by hash; empty until rules are asked
  std::string key_;                    // being looked for
};

}  // namespace hermod::identity
