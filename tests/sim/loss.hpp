// SPDX-License-Identifier: Apache-2.0
// Runs of devices behind networks that lose 0 to 25 percent, each way: what CoAP over UDP promises
// must hold in each run, and the sums over many must be what RFC 7252 §4.2 comes to (loss_model).
//
//   LossTable table;
//   for (seed...) violations = run_loss(seed, {}, table);
//   violations = table.check();
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "loss_device.hpp"
#include "loss_model.hpp"

namespace hermod::sim {

/// Mean of what was observed.
struct Observed {
  void add(double value) {
    sum += value;
    count += 1;
  }
  [[nodiscard]] double mean() const { return count > 0 ? sum / count : 0; }
  double sum = 0;
  double count = 0;
};

/// The requests that met the same network, as LossModel has them.
struct LossTally {
  void add(const LossRequest& request);

  Observed non_delivered;
  Observed delivered;
  Observed acknowledged;
  Observed transmissions;
  Observed copies;
  Observed waited_s;
  Observed timeout_s;
};

class LossTable {
 public:
  static constexpr std::array<unsigned, 7> kLossPercent = {0, 1, 5, 10, 15, 20, 25};
  static constexpr unsigned kDuplicatePercent = 10;  ///< in every other round of seeds

  /// The network of a seed.
  [[nodiscard]] static PathManners manners(std::uint64_t seed);
  void add(std::uint64_t seed, const LossRequest& request) { tally_of(seed).add(request); }
  /// What is not as the model has it, in words; empty when all is well.
  [[nodiscard]] std::vector<std::string> check() const;
  /// Observed and expected, for people.
  [[nodiscard]] std::string text() const;

 private:
  [[nodiscard]] LossTally& tally_of(std::uint64_t seed);

  std::array<std::array<LossTally, 2>, kLossPercent.size()>
      tallies_;  // without and with repetition
};

/// One run, added to the table; returns what was wrong in it, empty when all is well:
/// what has arrived was done, what has not was not, once within EXCHANGE_LIFETIME, and what was
/// acknowledged was done.
[[nodiscard]] std::vector<std::string> run_loss(std::uint64_t seed, LossFault fault, bool verbose,
                                                LossTable& table);

}  // namespace hermod::sim
