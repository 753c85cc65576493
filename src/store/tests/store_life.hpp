// SPDX-License-Identifier: Apache-2.0
// A core with a store on a faulty disk, and a ledger beside it that knows what was promised. From a
// seed, lasting clients come and go, publish, take and acknowledge, until the power goes; then
// everything comes up again from the disk alone, and is held to the ledger.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "hermod/core/core.hpp"
#include "hermod/store/store.hpp"
#include "hermod/testkit/faulty_disk.hpp"

namespace hermod::store {

class StoreLife final : public core::Outlet, public Log {
 public:
  struct Options {
    std::uint64_t steps = 300;
    std::uint64_t segment_octets = 12'000;
    bool power_in_the_middle = true;  ///< not only between two steps
    bool fills_up = false;
    bool sync_fails = false;
  };
  /// What happened over all boots, so that a test can see that it happens.
  struct Counts {
    std::uint64_t promised = 0;
    std::uint64_t recovered = 0;
    std::uint64_t repeated = 0;  ///< settled, and back again
    std::uint64_t removed = 0;   ///< segments
    std::uint64_t evacuated = 0;
    std::uint64_t full = 0;
    std::uint64_t refused = 0;
    std::uint64_t damaged = 0;
    std::uint64_t sealed = 0;
  };

  StoreLife(std::uint64_t seed, const Options& options);
  ~StoreLife() override;

  void boot();
  void live(std::uint64_t steps);
  /// The power goes, or the process is killed; what was not safe may be gone.
  void end();
  /// Something on the disk is damaged while it is off.
  void damage();

  Counts counts;

 private:
  static constexpr std::size_t kClients = 5;
  static constexpr std::size_t kTopics = 3;

  struct Publication {
    std::string topic;
    model::Guarantee guarantee = model::Guarantee::kAtLeastOnce;
    core::CommitNumber commit = 0;
    bool promised = false;
    std::set<std::size_t> clients;  // that are to get it
  };
  struct Delivery {
    model::Tag tag = 0;
    std::uint64_t number = 0;
    bool exactly_once = false;
  };
  struct Client {
    core::SubscriberIndex index = core::Subscribers::kNone;
    core::CommitNumber commit = 0;  // of the subscription
    bool subscribed = false;        // that is promised
    bool attached = false;
    std::vector<Delivery> taken;     // not settled
    std::vector<Delivery> released;  // not settled
    std::vector<std::pair<core::CommitNumber, std::uint64_t>> releasing;
    std::set<std::uint64_t> settled;  // may come again, unless they were released for good
    std::set<std::uint64_t> over;     // released for good: may not
  };

  // core::Outlet
  void deliver(core::ConnectionKey connection, const model::DeliveryBatch& batch) override;
  void forward(const model::Message&, core::ShardSet, core::ShardSet) override {}
  void to_member(const core::MemberRef&, core::GroupKey, core::QueuePlace,
                 const model::Delivery&) override {}
  void grant(std::uint16_t, core::GroupKey, const core::MemberRef&, std::uint32_t,
             std::vector<model::Tag>) override {}
  void give_back(std::uint16_t, std::string_view, core::GroupKey, const core::MemberRef&,
                 std::vector<core::Returned>, bool) override {}
  // Log
  [[nodiscard]] bool enabled(LogLevel) const override { return false; }
  void write(LogLevel, std::string_view) override {}

  void step();
  void attach(std::size_t number);
  void detach(std::size_t number);
  void publish();
  void acknowledge(std::size_t number);
  void turn();
  void note_commits();
  void check();
  void check_client(std::size_t number);
  void check_values();
  [[nodiscard]] bool failed() const { return testing::Test::HasFatalFailure(); }
  [[nodiscard]] std::uint64_t below(std::uint64_t end) { return rng_.below(end); }

  SeededRng rng_;
  Options options_;
  testkit::FaultyDisk disk_;
  SeededRng keys_;
  core::Limits limits_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<core::Journal> journal_;
  std::unique_ptr<core::Core> core_;
  Instant now_{std::chrono::seconds{1000}};
  std::vector<Client> clients_{kClients};
  std::vector<Publication> publications_;
  std::map<std::string, std::vector<std::uint64_t>> values_;  // by topic, in order
  bool damaged_ = false;
};

}  // namespace hermod::store
