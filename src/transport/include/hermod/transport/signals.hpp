// SPDX-License-Identifier: Apache-2.0
// Process signals as a source for a poller: no handler, no code that runs at odd moments.
#pragma once

#include <signal.h>

#include <expected>
#include <initializer_list>
#include <memory>
#include <string>

#include "hermod/transport/stream.hpp"

namespace hermod::transport {

/// Takes some signals away from their default action while it lives. Make it in the main thread
/// before other threads start: they inherit the blocked signals, and so none of them is
/// interrupted. Example: auto signals = SignalSource::open({SIGTERM, SIGINT, SIGHUP});
///          poller.add(**signals, kSignalToken);  ... while (int signal = (*signals)->next()) ...
class SignalSource final : public Source {
 public:
  [[nodiscard]] static std::expected<std::unique_ptr<SignalSource>, std::string> open(
      std::initializer_list<int> signals);
  /// Unblocks what open() blocked; a signal still waiting then takes its default action.
  ~SignalSource() override;
  SignalSource(const SignalSource&) = delete;
  SignalSource& operator=(const SignalSource&) = delete;

  [[nodiscard]] int descriptor() const override { return descriptor_; }
  [[nodiscard]] bool wants_writable() const override { return false; }
  /// The next signal that has come, 0 when there is none. The same signal sent twice before the
  /// call may come once.
  [[nodiscard]] int next();

 private:
  SignalSource(int descriptor, const sigset_t& before) : descriptor_(descriptor), before_(before) {}

  int descriptor_;
  sigset_t before_;
};

}  // namespace hermod::transport
