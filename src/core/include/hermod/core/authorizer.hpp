// SPDX-License-Identifier: Apache-2.0
// Who may come in and who may do what. Implemented in broker; asked by it before the core acts.
#pragma once

#include <cstdint>
#include <string_view>

#include "hermod/base/bytes.hpp"

namespace hermod::core {

struct Credentials {
  std::string_view client_id;
  bool given = false;  ///< false: nothing was presented
  std::string_view username;
  Bytes password;
};

enum class Action : std::uint8_t { kPublish, kSubscribe, kRead };

enum class Verdict : std::uint8_t { kAllow, kDeny };

/// One per shard. Answers at once; an implementation that must wait (hashing, a remote service)
/// gets a third verdict with a ticket when it comes.
class Authorizer {
 public:
  virtual ~Authorizer() = default;
  [[nodiscard]] virtual Verdict authenticate(const Credentials& credentials) = 0;
  /// `name` is a topic (publish, read) or a filter (subscribe).
  [[nodiscard]] virtual Verdict authorize(std::string_view client_id, Action action,
                                          std::string_view name) = 0;
};

}  // namespace hermod::core
