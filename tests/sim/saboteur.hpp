// SPDX-License-Identifier: Apache-2.0
// Stands between a client's connection and its ears and spoils what comes through, to show that the
// oracles notice. Does nothing in an honest run.
#pragma once

#include <functional>
#include <optional>

#include "options.hpp"
#include "reader.hpp"

namespace hermod::sim {

class Saboteur {
 public:
  using Hear = std::function<void(const Arrival&)>;

  Saboteur(Sabotage kind, const Ledger& ledger, Hear hear)
      : kind_(kind), ledger_(ledger), hear_(std::move(hear)) {}

  /// Something came for a client that has asked for `grants`.
  void pass(Arrival arrival, const std::vector<Grant>& grants);

 private:
  [[nodiscard]] std::optional<PublicationId> publication_of(const Arrival& arrival) const;
  void swap(Arrival arrival);
  void replace_by_earlier(Arrival& arrival) const;
  void add_stray(const std::vector<Grant>& grants);

  Sabotage kind_;
  const Ledger& ledger_;
  Hear hear_;
  unsigned passed_ = 0;
  bool done_ = false;
  std::optional<Arrival> held_;
};

}  // namespace hermod::sim
