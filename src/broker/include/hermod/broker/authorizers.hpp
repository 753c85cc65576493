// SPDX-License-Identifier: Apache-2.0
// The core::Authorizer of a listener without password file and ACL file.
#pragma once

#include "hermod/core/authorizer.hpp"

namespace hermod::broker {

/// allow_anonymous: everybody may do everything, or nobody comes in. As with mosquitto without a
/// password file, credentials that are presented to an open listener are not looked at.
class AnonymousAuthorizer final : public core::Authorizer {
 public:
  explicit AnonymousAuthorizer(bool allow) : allow_(allow) {}
  [[nodiscard]] std::optional<core::Login> authenticate(const core::Credentials&,
                                                        core::LoginTicket ticket) override {
    return core::Login{ticket, allow_ ? model::Reason::kOk : model::Reason::kNotAuthorized};
  }
  [[nodiscard]] core::Verdict authorize(const core::Actor&, core::Action,
                                        std::string_view) override {
    return allow_ ? core::Verdict::kAllow : core::Verdict::kDeny;
  }

 private:
  bool allow_;
};

}  // namespace hermod::broker
