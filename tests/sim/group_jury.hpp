// SPDX-License-Identifier: Apache-2.0
// What the members of a group ($share, MQTT 5 §4.8.2) got, judged together once all is quiet: each
// message goes to one of them, and to another only when that one's connection ended; none is lost.
// The members' Readers judge the rest.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "jury.hpp"
#include "ledger.hpp"
#include "reader.hpp"
#include "world.hpp"

namespace hermod::sim {

class GroupJury {
 public:
  GroupJury(World& world, const Ledger& ledger, Jury& jury)
      : world_(world), ledger_(ledger), jury_(jury) {}

  /// Somebody whose only subscription is that group's. Outlives this.
  void add(const std::string& group, const Reader& member) { groups_[group].push_back(&member); }
  /// Once all is quiet.
  void check();

  /// Arrivals at members, and messages that came to more than one; after check().
  [[nodiscard]] std::uint64_t shared() const { return shared_; }
  [[nodiscard]] std::uint64_t passed_on() const { return passed_on_; }

 private:
  struct Count {
    std::size_t arrivals = 0;
    std::size_t excused = 0;  ///< those whose connection or membership has ended since
    std::size_t members = 0;
    Instant first = kNever;    ///< arrival
    bool exactly_once = true;  ///< all of them
    bool at_most_once = false;
  };
  [[nodiscard]] Count count(const std::vector<const Reader*>& members, PublicationId id) const;
  void check_repetitions(const std::string& group, const std::vector<const Reader*>& members);
  void check_losses(const std::string& group, const std::vector<const Reader*>& members);
  [[nodiscard]] static bool is_kept(const std::vector<const Reader*>& members, Instant at);
  [[nodiscard]] bool must_have(const std::vector<const Reader*>& members,
                               const Publication& publication) const;

  World& world_;
  const Ledger& ledger_;
  Jury& jury_;
  std::map<std::string, std::vector<const Reader*>> groups_;
  std::uint64_t shared_ = 0;
  std::uint64_t passed_on_ = 0;
};

}  // namespace hermod::sim
