// SPDX-License-Identifier: Apache-2.0
// Retained values that change while they are read: what came live is not repeated, nothing stale
// follows something newer, nothing is missed. Cases by hand, then orders by chance.
#include <algorithm>
#include <map>
#include <set>

#include "desks.hpp"
#include "hermod/base/rng.hpp"

namespace hermod::broker {
namespace {

// A subscriber on core 0 of a topic that core 1 owns and keeps the value "old" of.
class ChangingTest : public testing::Test {
 protected:
  explicit ChangingTest(std::uint16_t cores = 3) : desks{cores} {
    topic = desks.topic_of(1, "t");
    publish(1, "old");
    me = desks[0].attach(kMe);
  }
  void publish(std::uint16_t core, std::string_view payload) {
    desks.later();
    desks[core].publish(topic, payload);
  }
  /// Interest, stamps, question; the next thing to happen is the page's leaving.
  void subscribe_until_asked() {
    desks[0].subscribe(me, "t/+", 7);
    for (std::uint16_t other = 1; other < desks.size(); ++other) desks[other].read(0);
    desks[0].read_all();
    desks[1].read(0);
    ASSERT_EQ(desks[1].questions(), 1u);
  }
  /// What came, topics left out.
  std::string values() {
    desks.settle();
    EXPECT_EQ(desks.pending(), 0u);
    std::string text = desks[0].take(kMe);
    for (std::size_t at = 0; (at = text.find(topic + '=')) != std::string::npos;) {
      text.erase(at, topic.size() + 1);
    }
    return text;
  }

  Desks desks;
  std::string topic;
  SubscriberIndex me = 0;
};

// core 0: SUBSCRIBE .. page asked .................. PUBLISH new (local) ... page "old" arrives
TEST_F(ChangingTest, ANewerLiveValueSuppressesThePages) {
  subscribe_until_asked();
  desks[1].reply();  // the page with "old" is on its way
  publish(0, "new");
  EXPECT_EQ(values(), "#7 new");
}

TEST_F(ChangingTest, ANewerLiveValueOfAThirdCoreSuppressesThePages) {
  subscribe_until_asked();
  desks[1].reply();
  publish(2, "new");
  desks[0].read(2);  // arrives before the page
  EXPECT_EQ(values(), "#7 new");
}

// The page comes first: then the value it holds is the older one, and comes first.
TEST_F(ChangingTest, ALaterLiveValueFollowsThePages) {
  subscribe_until_asked();
  desks[1].reply();
  publish(2, "new");
  desks[0].read(1);
  EXPECT_EQ(values(), "#7 oldr new");
}

TEST_F(ChangingTest, PublishedAtTheOwnerAfterTheStampComesOnce) {
  desks[0].subscribe(me, "t/+", 7);
  desks[1].read(0);   // the interest is known, the stamp on its way
  publish(1, "new");  // goes live, and into the page
  EXPECT_EQ(values(), "new #7");
}

TEST_F(ChangingTest, PublishedAtTheOwnerBeforeTheInterestComesOnce) {
  desks[0].subscribe(me, "t/+", 7);
  publish(1, "new");  // nobody is interested: into the page only
  EXPECT_EQ(values(), "#7 newr");
}

TEST_F(ChangingTest, PublishedElsewhereBetweenInterestAndPageComesOnce) {
  // Before and after core 2 knows the interest, and before and after the owner has it.
  for (const bool known : {false, true}) {
    for (const bool kept : {false, true}) {
      desks[0].subscribe(me, "t/+", 7);
      if (known) desks[2].read(0);
      const std::string value = fmt::format("new{}{}", known, kept);
      publish(2, value);
      if (kept) desks[1].read(2);
      EXPECT_EQ(values(), known ? value + " #7" : "#7 " + value + 'r');
      desks[0].unsubscribe(me, "t/+");
      desks.settle();
    }
  }
}

// A live value that is older than the page's does not stand in its way:
// core 2 knows the interest and publishes "middle"; core 1, which does not yet, then "new".
TEST_F(ChangingTest, AnOlderLiveValueSuppressesNothing) {
  desks[0].subscribe(me, "t/+", 7);
  desks[2].read(0);
  publish(2, "middle");
  desks[1].read(2);
  publish(1, "new");
  desks[0].read(2);
  EXPECT_EQ(values(), "middle #7 newr");
}

// What came live before this subscription began came to others, not to it.
TEST_F(ChangingTest, LiveBeforeItBeganDoesNotCount) {
  const SubscriberIndex other = desks[0].attach(kOther);
  desks[0].subscribe(other, "#", 1);
  publish(0, "new");  // noted, because `other` is reading
  desks[0].subscribe(me, "t/+", 7);
  EXPECT_EQ(values(), "#7 newr");
  EXPECT_EQ(desks[0].take(kOther), topic + "=new #1");
}

TEST_F(ChangingTest, AClearedValueDoesNotComeBack) {
  subscribe_until_asked();
  desks[1].reply();
  publish(0, "");
  EXPECT_EQ(values(), "#7 ");  // the clear itself came live
  EXPECT_EQ(desks[1].core.retained().size(), 0u);
}

// The question waits until all that was on its way to the owner when it came has been read.
TEST_F(ChangingTest, ThePageHoldsWhatWasOnItsWayToTheOwner) {
  publish(2, "new");  // nobody is interested yet; the letter lies in the owner's mailbox
  subscribe_until_asked();
  EXPECT_EQ(values(), "#7 newr");
}

// --- by chance ---

// A few topics, publishers on every core, subscribers that come while they publish. Values count
// up per topic over all cores, so that the order that was meant is known.
class Chance {
 public:
  Chance(std::uint16_t cores, std::uint64_t seed) : desks_{cores}, rng_{seed} {
    for (int i = 0; i < 4; ++i) {
      topics_.push_back(desks_.topic_of(static_cast<std::uint16_t>(rng_.below(cores)), "t", i));
    }
    std::ranges::sort(topics_);
    topics_.erase(std::ranges::unique(topics_).begin(), topics_.end());
    for (core::ConnectionKey key = 1; key <= kSubscribers; ++key) {
      subscribers_.push_back({key, any_core()});
      subscribers_.back().index = desks_[subscribers_.back().core].attach(key);
    }
  }
  void run() {
    for (int step = 0; step < 120; ++step) {
      desks_.later();
      act();
    }
    for (Subscriber& subscriber : subscribers_) {
      if (!subscriber.subscribed) subscribe(subscriber);
    }
    desks_.settle();
    EXPECT_EQ(desks_.pending(), 0u);
    for (const Subscriber& subscriber : subscribers_) check(subscriber);
  }

 private:
  static constexpr core::ConnectionKey kSubscribers = 3;
  struct Subscriber {
    core::ConnectionKey key;
    std::uint16_t core;
    SubscriberIndex index = 0;
    bool subscribed = false;
  };
  std::uint16_t any_core() { return static_cast<std::uint16_t>(rng_.below(desks_.size())); }
  void subscribe(Subscriber& subscriber) {
    subscriber.subscribed = true;
    desks_[subscriber.core].subscribe(subscriber.index, "t/#", 7);
  }
  void act() {
    Desk& desk = desks_[any_core()];
    switch (rng_.below(8)) {
      case 0:
      case 1: {
        const std::string& topic = topics_[rng_.below(topics_.size())];
        desk.publish(topic, std::to_string(++values_[topic]));
        break;
      }
      case 2:
        desk.reply();
        break;
      case 3: {
        Subscriber& subscriber = subscribers_[rng_.below(subscribers_.size())];
        if (!subscriber.subscribed) subscribe(subscriber);
        break;
      }
      default:
        desk.read(any_core());
    }
  }
  // Two cores publish without hearing of each other, so that live values of one topic may come in
  // either order; retained ones follow nothing newer, nothing comes twice, and whoever is told
  // every change ends up knowing the newest.
  void check(const Subscriber& subscriber) {
    std::map<std::string, std::set<int>> seen;
    bool acknowledged = false;
    for (const std::string& event : desks_[subscriber.core].events[subscriber.key]) {
      if (event == "#7") {
        acknowledged = true;
        continue;
      }
      const std::size_t equals = event.find('=');
      const std::string topic = event.substr(0, equals);
      const int value = std::stoi(event.substr(equals + 1));
      const bool retained = event.ends_with('r');
      EXPECT_TRUE(acknowledged || !retained) << event;
      if (retained && !seen[topic].empty()) {
        EXPECT_GT(value, *seen[topic].rbegin()) << event;
      }
      EXPECT_TRUE(seen[topic].insert(value).second) << event << " came twice";
    }
    EXPECT_TRUE(acknowledged);
    for (const auto& [topic, newest] : values_) {
      EXPECT_TRUE(seen[topic].contains(newest)) << topic << " to " << subscriber.key;
    }
  }

  Desks desks_;
  SeededRng rng_;
  std::vector<std::string> topics_;
  std::vector<Subscriber> subscribers_;
  std::map<std::string, int> values_;
};

TEST(SubscribingByChance, NothingIsMissedRepeatedOrReversed) {
  for (const std::uint16_t cores : Cores{1, 2, 3}) {
    for (std::uint64_t seed = 1; seed <= 400 && !testing::Test::HasFailure(); ++seed) {
      SCOPED_TRACE(fmt::format("{} cores, seed {}", cores, seed));
      Chance{cores, seed}.run();
    }
  }
}

}  // namespace
}  // namespace hermod::broker
