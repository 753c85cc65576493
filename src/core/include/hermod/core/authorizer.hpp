// SPDX-License-Identifier: Apache-2.0
// Who may come in and who may do what. Implemented above; asked by the broker before the core acts.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "hermod/base/bytes.hpp"
#include "hermod/model/reason.hpp"

namespace hermod::core {

struct Credentials {
  std::string_view client_id;
  bool given = false;  ///< false: nothing was presented
  std::string_view username;
  Bytes password;
};

/// Whoever acts. A datagram peer has no client id.
struct Actor {
  std::string_view client_id;
  bool named = false;  ///< has come in with a user name
  std::string_view user;
};

enum class Action : std::uint8_t { kPublish, kSubscribe, kRead };

enum class Verdict : std::uint8_t { kAllow, kDeny };

/// Names one authenticate() until it is answered; chosen by the caller.
using LoginTicket = std::uint64_t;

/// The answer to authenticate().
struct Login {
  LoginTicket ticket = 0;
  /// kOk, kNotAuthorized, kBadCredentials, or kUnavailable when too many are waiting.
  model::Reason reason = model::Reason::kOk;
  bool named = false;       ///< the user name counts from now on
  std::uint64_t proof = 0;  ///< what has been checked, for still_valid()
};

/// What one step of an exchange leads to.
struct ExchangeStep {
  /// kContinue, kOk; kBadCredentials, kProtocolError for what the method does not say,
  /// kUnavailable.
  model::Reason reason = model::Reason::kContinue;
  std::string octets;       ///< for the client, with kContinue and kOk
  std::string user;         ///< kOk: who has come in
  std::uint64_t proof = 0;  ///< kOk: as in Login
  std::string why;          ///< refused: the cause, and the cure where there is one, for the log
};

/// One client that proves who it is in several steps.
class Exchange {
 public:
  virtual ~Exchange() = default;
  /// What the client says. Not called again after an answer other than kContinue.
  [[nodiscard]] virtual ExchangeStep step(Bytes octets) = 0;
};

/// One per shard and used by its thread alone. Nothing here waits: what takes long is answered
/// later, by next_login(), after a wake of the shard's poller.
class Authorizer {
 public:
  virtual ~Authorizer() = default;

  /// Nothing: the answer comes with that ticket. What `credentials` borrows is kept by copy.
  [[nodiscard]] virtual std::optional<Login> authenticate(const Credentials& credentials,
                                                          LoginTicket ticket) = 0;
  /// Nobody waits for that answer any more. It may come all the same.
  virtual void cancel(LoginTicket) {}

  /// An exchange by that method, each step of which takes no time worth mentioning; nullptr: the
  /// method is not known here. It outlives changes, but not this.
  [[nodiscard]] virtual std::unique_ptr<Exchange> begin_exchange(std::string_view /*method*/) {
    return nullptr;
  }

  /// `name` is a topic (publish, read) or a filter (subscribe).
  [[nodiscard]] virtual Verdict authorize(const Actor& actor, Action action,
                                          std::string_view name) = 0;
  /// Whether some may read only some topics: what is delivered to them is checked.
  [[nodiscard]] virtual bool has_rules() const { return false; }
  /// Whether `actor` may read every topic that `filter` matches: deliveries need no checks. False
  /// when that is not plain.
  [[nodiscard]] virtual bool may_read_all(const Actor&, std::string_view /*filter*/) {
    return true;
  }

  /// Cheap, asked each turn: whether next_login() or take_changes() have something to say.
  [[nodiscard]] virtual bool has_news() const { return false; }
  /// The next answer that has become known.
  [[nodiscard]] virtual std::optional<Login> next_login() { return std::nullopt; }
  /// Whether users or rules have changed since the last call; from now on the new ones count.
  [[nodiscard]] virtual bool take_changes() { return false; }
  /// Whether who came in with `proof` would still come in.
  [[nodiscard]] virtual bool still_valid(const Actor&, std::uint64_t /*proof*/) { return true; }
};

}  // namespace hermod::core
