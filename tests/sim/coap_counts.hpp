// SPDX-License-Identifier: Apache-2.0
// How often what happened to CoAP clients: a run in which nothing happens shows nothing.
#pragma once

#include <cstdint>

namespace hermod::sim {

struct CoapCounts {
  std::uint64_t answered = 0;    ///< requests
  std::uint64_t repeated = 0;    ///< requests sent again
  std::uint64_t given_up = 0;    ///< requests
  std::uint64_t separate = 0;    ///< responses after an Empty Acknowledgement
  std::uint64_t valid = 0;       ///< responses 2.03
  std::uint64_t reads = 0;       ///< values that are judged together
  std::uint64_t notified = 0;    ///< notifications
  std::uint64_t overtaken = 0;   ///< notifications that came after newer ones
  std::uint64_t ended = 0;       ///< observations, by an error
  std::uint64_t renewed = 0;     ///< observations, after Max-Age
  std::uint64_t strays = 0;      ///< notifications rejected
  std::uint64_t duplicates = 0;  ///< messages of the broker that came again

  CoapCounts& operator+=(const CoapCounts& other) {
    answered += other.answered;
    repeated += other.repeated;
    given_up += other.given_up;
    separate += other.separate;
    valid += other.valid;
    reads += other.reads;
    notified += other.notified;
    overtaken += other.overtaken;
    ended += other.ended;
    renewed += other.renewed;
    strays += other.strays;
    duplicates += other.duplicates;
    return *this;
  }
};

}  // namespace hermod::sim
