// SPDX-License-Identifier: Apache-2.0
// Implementations of core::Authorizer.
#pragma once

#include "hermod/core/authorizer.hpp"

namespace hermod::broker {

/// allow_anonymous: everybody may do everything, or nobody comes in. As with mosquitto without a
/// password file, credentials that are presented to an open listener are not looked at.
class AnonymousAuthorizer final : public core::Authorizer {
 public:
  explicit AnonymousAuthorizer(bool allow) : allow_(allow) {}
  [[nodiscard]] core::Verdict authenticate(const core::Credentials&) override { return verdict(); }
  [[nodiscard]] core::Verdict authorize(std::string_view, core::Action, std::string_view) override {
    return verdict();
  }

 private:
  [[nodiscard]] core::Verdict verdict() const {
    return allow_ ? core::Verdict::kAllow : core::Verdict::kDeny;
  }
  bool allow_;
};

}  // namespace hermod::broker
