// SPDX-License-Identifier: Apache-2.0
// How often what happened to CoAP clients: a run in which nothing happens shows nothing.
#pragma once

#include <cstdint>

namespace hermod::sim {

struct CoapCounts {
  std::uint64_t answered = 0;     ///< requests
  std::uint64_t repeated = 0;     ///< requests sent again
  std::uint64_t given_up = 0;     ///< requests
  std::uint64_t separate = 0;     ///< responses after an Empty Acknowledgement
  std::uint64_t valid = 0;        ///< responses 2.03
  std::uint64_t reads = 0;        ///< values that are judged together
  std::uint64_t notified = 0;     ///< notifications
  std::uint64_t overtaken = 0;    ///< notifications that came after newer ones
  std::uint64_t ended = 0;        ///< observations, by an error
  std::uint64_t renewed = 0;      ///< observations, after Max-Age
  std::uint64_t strays = 0;       ///< notifications rejected
  std::uint64_t duplicates = 0;   ///< messages of the broker that came again
  std::uint64_t bodies_sent = 0;  ///< values put in blocks, done
  std::uint64_t bodies_read = 0;  ///< values read in blocks, whole
  std::uint64_t bodies_told = 0;  ///< values of notifications in blocks, whole
  std::uint64_t changed = 0;      ///< values that changed while they were read
  std::uint64_t too_large = 0;    ///< bodies that were refused
  std::uint64_t begun_again = 0;  ///< bodies sent from the start again
  std::uint64_t challenged = 0;   ///< requests that had to be repeated with Echo
  std::uint64_t pinged = 0;       ///< Empty Confirmable messages

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
    bodies_sent += other.bodies_sent;
    bodies_read += other.bodies_read;
    bodies_told += other.bodies_told;
    changed += other.changed;
    too_large += other.too_large;
    begun_again += other.begun_again;
    challenged += other.challenged;
    pinged += other.pinged;
    return *this;
  }
};

}  // namespace hermod::sim
