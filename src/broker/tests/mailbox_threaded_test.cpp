// SPDX-License-Identifier: Apache-2.0
// Two shards' mail between two threads: nothing lost, nothing reordered, lent payloads come home,
// and a sender that waits for room is woken. Runs under ThreadSanitizer.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <string>
#include <thread>

#include "hermod/base/output.hpp"
#include "hermod/broker/outbox.hpp"
#include "hermod/transport/epoll.hpp"

namespace hermod::broker {
namespace {

constexpr std::uint32_t kMessages = 20'000;
constexpr std::uint32_t kLargeEvery = 16;

// One end: sends its messages while it has room, checks what comes.
class End {
 public:
  End(Mailroom& room, std::uint16_t self, const MailLimits& limits)
      : room_(room), self_(self), outbox_(room, self, limits) {
    auto poller = transport::EpollPoller::open();
    EXPECT_TRUE(poller.has_value());
    poller_ = std::move(*poller);
  }
  [[nodiscard]] transport::Poller& poller() { return *poller_; }
  void connect(std::vector<transport::Poller*> pollers) { outbox_.connect(std::move(pollers)); }

  void run() {
    while (received_ < kMessages || outbox_.lent() > 0 || sent_ < kMessages || !other_done()) {
      (void)poller_->wait(can_send() ? Duration::zero() : Duration{std::chrono::seconds{5}});
      read();
      while (can_send()) send_one();
      outbox_.send();
      if (++turns_ > 10'000'000) break;  // a test that fails ends
    }
  }
  [[nodiscard]] bool complete() const {
    return received_ == kMessages && in_order_ && sent_ == kMessages && outbox_.lent() == 0;
  }
  std::atomic<bool> done = false;  // all read, all let go
  End* other = nullptr;

 private:
  bool other_done() {
    if (received_ == kMessages && outbox_.lent() == 0 && sent_ == kMessages &&
        !done.exchange(true)) {
      other->poller().wake();
    }
    return other->done.load();
  }
  bool can_send() { return sent_ < kMessages && outbox_.has_room(); }
  void send_one() {
    const std::string number = std::to_string(sent_);
    std::string payload = number;
    if (sent_ % kLargeEvery == 0) payload.resize(Output::kShareFrom + sent_ % 100, '.');
    const model::Message message{.destination = model::Destination::topic(number),
                                 .payload = as_bytes(payload)};
    outbox_.add_forward(1 - self_, message, true, false);
    if (++sent_ % 64 == 0) outbox_.send();
  }
  void read() {
    for (Batch* batch = room_.between(1 - self_, self_).take(); batch != nullptr;) {
      const std::unique_ptr<Batch> owned{batch};
      batch = batch->next;
      for (Letter& letter : owned->letters) {
        if (auto* back = std::get_if<GiveBack>(&letter)) {
          outbox_.returned(back->lent);
        } else {
          check(outbox_.open(std::get<Forward>(letter), 1 - self_).own());
        }
      }
      outbox_.finish(1 - self_, *owned);
    }
  }
  void check(model::MessageRef message) {
    const std::string number = std::to_string(received_);
    in_order_ = in_order_ && message->destination.address == number &&
                as_text(message->payload).starts_with(number);
    kept_[received_ % kept_.size()] = std::move(message);  // lets go of an older one
    if (++received_ == kMessages) kept_.fill({});
  }

  Mailroom& room_;
  std::uint16_t self_;
  Outbox outbox_;
  std::unique_ptr<transport::EpollPoller> poller_;
  std::array<model::MessageRef, 50> kept_;
  std::uint32_t sent_ = 0;
  std::uint32_t received_ = 0;
  bool in_order_ = true;
  std::uint64_t turns_ = 0;
};

TEST(MailThreads, NothingIsLostReorderedOrKept) {
  const MailLimits limits{.letters_max = 200, .bytes_max = 50'000};
  Mailroom room{2};
  End first{room, 0, limits};
  End second{room, 1, limits};
  first.other = &second;
  second.other = &first;
  for (End* end : {&first, &second}) end->connect({&first.poller(), &second.poller()});
  std::thread thread{[&] { second.run(); }};
  first.run();
  thread.join();
  EXPECT_TRUE(first.complete());
  EXPECT_TRUE(second.complete());
  EXPECT_EQ(room.between(0, 1).letters(), 0u);
  EXPECT_EQ(room.between(1, 0).bytes(), 0u);
}

}  // namespace
}  // namespace hermod::broker
