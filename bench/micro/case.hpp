// SPDX-License-Identifier: Apache-2.0
// What a micro-benchmark is, for both drivers: Google Benchmark counts its time, callgrind its
// instructions. A case knows neither.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace hermod::micro {

/// Does the operation `count` times.
using Body = std::function<void(std::size_t count)>;

struct Case {
  std::string name;                  ///< "part/what/of which kind"
  std::function<Body()> prepare;     ///< everything that is not to be counted
  std::size_t units = 1;             ///< what one operation is counted as: deliveries, messages
  bool quick = true;                 ///< ready in milliseconds under callgrind
  std::size_t instructions_n = 256;  ///< operations that callgrind looks at
};
using Cases = std::vector<Case>;

/// The compiler must produce what `value` refers to, and cannot know what becomes of it.
template <typename T>
inline void keep(const T& value) {
  asm volatile("" : : "r"(&value) : "memory");
}

/// A body of `operation()`s on a state that was prepared.
template <typename State, typename Operation>
Body each(std::shared_ptr<State> state, Operation operation) {
  return [state = std::move(state), operation](std::size_t count) {
    State& s = *state;
    for (std::size_t i = 0; i < count; ++i) operation(s);
  };
}

void add_codec(Cases& cases);
void add_coap(Cases& cases);
void add_timers(Cases& cases);
void add_match(Cases& cases);
void add_route(Cases& cases);
void add_session(Cases& cases);

}  // namespace hermod::micro
