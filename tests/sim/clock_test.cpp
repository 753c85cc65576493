// SPDX-License-Identifier: Apache-2.0
// R9: somebody sets the wall clock, by an hour or by ten years, while the broker runs and while it
// is down. Nobody is disconnected, and whatever was to expire does so when it was to.
#include <gtest/gtest.h>

#include <memory>

#include "mqtt_link.hpp"
#include "world.hpp"

namespace hermod::sim {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kYear = hours{24 * 365};

// A client of MQTT 5 with one connection.
class Client final : public Task, public MqttLink::Owner {
 public:
  Client(World& world, const mqtt::ClientOptions& options)
      : world_(world), poller_(world.network()) {
    auto stream = world.network().connect(world.mqtt_address());
    (void)poller_.add(*stream, 1);
    link_ = std::make_unique<MqttLink>(std::move(stream), options, session::Inflight{}, *this);
    link_->open(world.now());
    world.add(*this);
    pass(seconds{1});
  }

  [[nodiscard]] Instant due() const override {
    return poller_.ready() || !tickets_.empty() ? Instant{} : link_->due();
  }
  void run(Instant now) override {
    (void)poller_.wait(Duration::zero());
    link_->on_ready(now);
    const std::vector<session::Ticket> tickets = std::exchange(tickets_, {});
    if (!tickets.empty()) link_->answer(tickets, now);
  }
  void on_effect(session::Effect& effect) override {
    if (const auto* opened = std::get_if<session::Opened>(&effect)) {
      present = opened->session_present;
    } else if (const auto* publish = std::get_if<session::Publish>(&effect)) {
      heard_at.push_back(world_.now());
      if (publish->ticket != 0) tickets_.push_back(publish->ticket);
    }
  }

  void subscribe(std::string_view filter) {
    const mqtt::SubscribeEntry entry{.filter = filter, .qos = 1};
    EXPECT_TRUE(link_->subscribe({&entry, 1}, 1, world_.now()));
    pass(seconds{1});
  }
  void publish(std::string_view topic, Duration lasts) {
    const model::Message message{.destination = model::Destination::topic(topic),
                                 .payload = as_bytes("x"),
                                 .guarantee = model::Guarantee::kAtLeastOnce,
                                 .expires_at = world_.now() + lasts};
    const model::Delivery item{.message = &message, .guarantee = message.guarantee};
    link_->deliver({.items = {&item, 1}, .first_tag = ++tag_}, world_.now());
    pass(seconds{1});
  }
  void vanish() {
    world_.network().reset(link_->stream());
    pass(milliseconds{10});
  }
  [[nodiscard]] bool stands() const { return link_->end() == MqttLink::End::kNone; }

  bool present = false;
  std::vector<Instant> heard_at;  ///< messages

 private:
  void pass(Duration duration) { world_.run(world_.now() + duration); }

  World& world_;
  transport::MemoryPoller poller_;
  std::unique_ptr<MqttLink> link_;
  std::vector<session::Ticket> tickets_;
  model::Tag tag_ = 0;
};

class ClockTest : public testing::TestWithParam<Duration> {
 protected:
  static Options options() {
    Options options;
    options.kept.on = true;
    options.sync_max = milliseconds{1};
    options.idle_turn_permille = options.lag_permille = options.stall_permille = 0;
    return options;
  }
  mqtt::ClientOptions lasting(std::uint32_t expiry_s) const {
    mqtt::ClientOptions client{.version = mqtt::Version::kV5,
                               .client_id = "lasting",
                               .clean_session = false,
                               .keep_alive_s = 5};
    client.session_expiry_s = expiry_s;
    return client;
  }
  mqtt::ClientOptions passing(std::string id) const {
    return {.version = mqtt::Version::kV5, .client_id = std::move(id), .keep_alive_s = 5};
  }
  std::unique_ptr<Client> connect(const mqtt::ClientOptions& client) {
    return std::make_unique<Client>(world, client);
  }
  void pass(Duration duration) { world.run(world.now() + duration); }
  void pass_until(Instant until) { world.run(until); }
  // The clock jumps twice: while the broker runs, and while it is down.
  void jump_twice() {
    world.kept()->set_wall_ahead(GetParam());
    pass(seconds{2});
    world.stop(Stop::kKilled);
    world.kept()->set_wall_ahead(Duration{0});
    pass(seconds{2});
    world.kept()->set_wall_ahead(GetParam());
    ASSERT_TRUE(world.start());
    pass(seconds{1});
  }

  Options options_ = options();
  Trace trace{false};
  World world{options_, trace};
  std::vector<std::unique_ptr<Client>> clients;  // they use the world until they end
};

TEST_P(ClockTest, R9_NobodyIsDisconnected) {
  clients.push_back(connect(lasting(100)));
  clients.push_back(connect(passing("passing")));
  world.kept()->set_wall_ahead(GetParam());
  pass(seconds{30});
  world.kept()->set_wall_ahead(Duration{0});
  pass(seconds{30});
  EXPECT_TRUE(clients[0]->stands());
  EXPECT_TRUE(clients[1]->stands());
}

TEST_P(ClockTest, R9_ASessionEndsWhenItWasTo) {
  for (const bool late : {false, true}) {
    clients.push_back(connect(lasting(30)));
    clients.back()->vanish();
    const Instant ends = world.now() + seconds{30};
    jump_twice();
    pass_until(late ? ends + seconds{1} : ends - seconds{1});
    clients.push_back(connect(lasting(30)));
    EXPECT_EQ(clients.back()->present, !late);
    clients.back()->vanish();
    pass(seconds{40});
  }
}

TEST_P(ClockTest, R9_AMessageExpiresWhenItWasTo) {
  for (const bool late : {false, true}) {
    clients.push_back(connect(lasting(1'000)));
    clients.back()->subscribe("t");
    clients.back()->vanish();
    clients.push_back(connect(passing("publisher")));
    const Instant ends = world.now() + seconds{30};
    clients.back()->publish("t", seconds{30});
    clients.back()->vanish();
    jump_twice();
    pass_until(late ? ends + seconds{1} : ends - seconds{1});
    clients.push_back(connect(lasting(1'000)));
    EXPECT_TRUE(clients.back()->present);
    EXPECT_EQ(clients.back()->heard_at.size(), late ? 0u : 1u);
    clients.back()->vanish();
  }
}

TEST_P(ClockTest, R9_AWillComesWhenItWasTo) {
  mqtt::ClientOptions with_will = lasting(1'000);
  with_will.will = {.topic = "will",
                    .payload = {'x'},
                    .guarantee = model::Guarantee::kAtLeastOnce,
                    .delay_s = 30};
  clients.push_back(connect(with_will));
  clients.back()->vanish();
  const Instant due = world.now() + seconds{30};
  jump_twice();
  clients.push_back(connect(passing("watcher")));
  clients.back()->subscribe("will");
  pass_until(due - seconds{1});
  EXPECT_TRUE(clients.back()->heard_at.empty());
  pass_until(due + seconds{1});
  EXPECT_EQ(clients.back()->heard_at.size(), 1u);
  pass(hours{1});
  EXPECT_EQ(clients.back()->heard_at.size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Jumps, ClockTest,
                         testing::Values(hours{1}, -hours{1}, 10 * kYear, -10 * kYear));

}  // namespace
}  // namespace hermod::sim
