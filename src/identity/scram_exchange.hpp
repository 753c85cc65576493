// SPDX-License-Identifier: Apache-2.0
// core::Exchange by SCRAM-SHA-256: what a user is asked, from the users of one record. A name that
// nobody has, or whose password is kept in another form, is asked like any other and refused in the
// end: whoever tries names learns nothing.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "hermod/core/authorizer.hpp"
#include "hermod/identity/directory.hpp"
#include "hermod/sasl/scram.hpp"

namespace hermod::identity {

/// What has been checked: a user and the hash that the password file has for it.
[[nodiscard]] std::uint64_t proof_of(std::string_view user, const PasswordHash& hash,
                                     std::uint64_t hash_key);

class ScramExchange final : public core::Exchange {
 public:
  ScramExchange(std::shared_ptr<const Record> record, const sasl::Key& secret,
                std::uint64_t hash_key)
      : record_(std::move(record)), secret_(secret), hash_key_(hash_key) {}

  [[nodiscard]] core::ExchangeStep step(Bytes octets) override;

 private:
  [[nodiscard]] core::ExchangeStep begin(Bytes octets);
  [[nodiscard]] core::ExchangeStep finish(Bytes octets);
  [[nodiscard]] sasl::ScramVerifier verifier() const;

  std::shared_ptr<const Record> record_;  // with users
  sasl::Key secret_;
  std::uint64_t hash_key_;
  std::optional<sasl::ScramServer> server_;
  std::string user_;
  const PasswordHash* known_ = nullptr;  // of the record
};

}  // namespace hermod::identity
