// SPDX-License-Identifier: Apache-2.0
// One script, played over the kernel's sockets with epoll and over the network in memory: the edges
// that are told, and what reading and writing answer, must be the same.
//
//   client                      server
//     |------ connects ---------->|
//     |------ abc, then d ------->|  two edges although nothing was read
//     |                           |  reads half: no new edge for the rest
//     |------ until full -------->|
//     |<----- reads all ----------|  an edge says that there is room again
//     |------ its end ----------->|
//     |<----- closes -------------|
#include <fmt/format.h>

#include <map>

#include "hermod/transport/memory.hpp"
#include "hermod/transport/tcp.hpp"
#include "loop.hpp"

namespace hermod::transport {
namespace {

using Edges = std::map<Token, std::string>;

struct Network {
  virtual ~Network() = default;
  virtual Poller& poller() = 0;
  virtual std::unique_ptr<StreamListener> listen() = 0;
  virtual std::unique_ptr<Stream> connect(const Address& to) = 0;
};

struct KernelNetwork final : Network {
  std::unique_ptr<EpollPoller> epoll = make_poller();

  Poller& poller() override { return *epoll; }
  std::unique_ptr<StreamListener> listen() override {
    return std::move(listen_tcp(loopback(), {}).value());
  }
  std::unique_ptr<Stream> connect(const Address& to) override {
    return std::move(connect_tcp(to).value());
  }
};

struct SimulatedNetwork final : Network {
  MemoryNetwork network{MemoryOptions{}};
  MemoryPoller memory{network};

  Poller& poller() override { return memory; }
  std::unique_ptr<StreamListener> listen() override {
    return std::move(network.listen(loopback()).value());
  }
  std::unique_ptr<Stream> connect(const Address& to) override { return network.connect(to); }
};

class EdgesTest : public testing::TestWithParam<bool> {
 protected:
  EdgesTest() {
    if (GetParam()) {
      network_ = std::make_unique<KernelNetwork>();
    } else {
      network_ = std::make_unique<SimulatedNetwork>();
    }
  }

  /// Collects edges until they are the expected ones, then makes sure that no others follow.
  void expect(const Edges& expected) {
    const SystemClock clock;
    const Instant end = clock.now() + (GetParam() ? kPatience : Duration::zero());
    std::map<Token, Event> seen;
    do {
      collect(kGlance, seen);
    } while (told(seen, expected) != expected && clock.now() < end);
    collect(expected.empty() ? Duration::zero() : kGlance, seen);
    EXPECT_EQ(told(seen, expected), expected);
  }

  /// The edges, without those that the kernel may add at any time: that one can still write.
  Edges told(const std::map<Token, Event>& seen, const Edges& expected) const {
    Edges edges = as_text_edges(seen);
    if (!GetParam()) return edges;
    std::erase_if(edges, [&](const auto& edge) {
      return edge.second == "w" && !expected.contains(edge.first);
    });
    return edges;
  }

  void collect(Duration timeout, std::map<Token, Event>& seen) {
    for (const Event& event : network_->poller().wait(timeout)) {
      seen[event.token].readable |= event.readable;
      seen[event.token].writable |= event.writable;
      seen[event.token].ended |= event.ended;
    }
  }

  static Edges as_text_edges(const std::map<Token, Event>& seen) {
    Edges out;
    for (const auto& [token, event] : seen) {
      out[token] = std::string(event.readable ? "r" : "") + (event.writable ? "w" : "") +
                   (event.ended ? "e" : "");
    }
    return out;
  }

  void connect() {
    Poller& poller = network_->poller();
    listener_ = network_->listen();
    ASSERT_TRUE(poller.add(*listener_, kListener));
    expect({});
    client_ = network_->connect(listener_->local());
    ASSERT_TRUE(poller.add(*client_, kClient));
    expect({{kListener, "r"}, {kClient, "w"}});
    int error = 0;
    server_ = listener_->accept(error);
    ASSERT_NE(server_, nullptr);
    ASSERT_TRUE(poller.add(*server_, kServer));
    expect({{kServer, "w"}});
  }

  /// "done 3", "again 0", "closed 0", "failed 0".
  static std::string words(const IoResult& result) {
    static constexpr const char* kWords[] = {"done", "again", "closed", "failed"};
    return fmt::format("{} {}", kWords[static_cast<int>(result.status)], result.count);
  }
  std::string read(Stream& stream, std::size_t count_max) {
    std::string text;
    const IoResult result = read_text(stream, count_max, text);
    return words(result) + (text.empty() ? "" : " " + text);
  }

  /// Writes until nothing more goes, on every edge that allows it; how many octets went.
  std::size_t fill(Stream& stream, Token token) {
    const std::vector<std::uint8_t> octets(32 * 1024);
    const Bytes piece(octets);
    std::size_t total = 0;
    for (bool writable = true; writable;) {
      for (IoResult result{}; result.status == IoResult::Status::kDone;) {
        result = stream.write({&piece, 1});
        total += result.count;
      }
      std::map<Token, Event> seen;
      collect(kGlance, seen);  // the kernel moves octets on and makes room by itself
      writable = seen[token].writable;
    }
    return total;
  }

  std::unique_ptr<Network> network_;
  std::unique_ptr<StreamListener> listener_;
  std::unique_ptr<Stream> client_;
  std::unique_ptr<Stream> server_;
};

TEST_P(EdgesTest, DataAndEnd) {
  ASSERT_NO_FATAL_FAILURE(connect());
  EXPECT_EQ(read(*server_, 8), "again 0");
  EXPECT_EQ(words(write_text(*client_, "abc")), "done 3");
  expect({{kServer, "rw"}});
  expect({});  // told once
  write_text(*client_, "d");
  expect({{kServer, "rw"}});  // told again, although nothing was read
  EXPECT_EQ(read(*server_, 2), "done 2 ab");
  expect({});  // the rest is no news
  EXPECT_EQ(read(*server_, 8), "done 2 cd");
  EXPECT_EQ(read(*server_, 8), "again 0");

  client_->shutdown_write();
  expect({{kServer, "rwe"}, {kClient, "w"}});
  EXPECT_EQ(read(*server_, 8), "closed 0");
  EXPECT_EQ(read(*server_, 8), "closed 0");
  EXPECT_EQ(words(write_text(*client_, "x")), "failed 0");
  EXPECT_EQ(words(write_text(*server_, "last")), "done 4");
  expect({{kClient, "rw"}});
  server_.reset();
  expect({{kClient, "rwe"}});
  EXPECT_EQ(read(*client_, 8), "done 4 last");
  EXPECT_EQ(read(*client_, 8), "closed 0");
}

// Octets and the end behind them: one edge, and a read that falls short is not the last one.
TEST_P(EdgesTest, DataAndEndInOneEdge) {
  ASSERT_NO_FATAL_FAILURE(connect());
  write_text(*client_, "abc");
  client_->shutdown_write();
  expect({{kServer, "rwe"}, {kClient, "w"}});
  EXPECT_EQ(read(*server_, 8), "done 3 abc");
  std::map<Token, Event> seen;
  collect(kGlance, seen);
  EXPECT_FALSE(
      seen.contains(kServer));  // the kernel may tell the client once more that it can write
  EXPECT_EQ(read(*server_, 8), "closed 0");
}

TEST_P(EdgesTest, RoomIsToldWhenItIsThere) {
  ASSERT_NO_FATAL_FAILURE(connect());
  const std::size_t total = fill(*client_, kClient);
  EXPECT_GT(total, 0u);
  expect({});
  const SystemClock clock;
  const Instant end = clock.now() + kPatience;
  std::vector<std::uint8_t> buffer(256 * 1024);
  std::size_t got = 0;
  bool room = false;
  while ((got < total || !room) && clock.now() < end) {
    IoResult result = server_->read(buffer);
    for (; result.status == IoResult::Status::kDone; result = server_->read(buffer)) {
      got += result.count;
    }
    ASSERT_EQ(result.status, IoResult::Status::kAgain);
    std::map<Token, Event> seen;
    collect(kGlance, seen);
    room |= seen[kClient].writable;
  }
  EXPECT_EQ(got, total);
  EXPECT_TRUE(room);
  EXPECT_EQ(words(write_text(*client_, "more")), "done 4");
}

TEST_P(EdgesTest, ResetIsBothReadableAndWritable) {
  ASSERT_NO_FATAL_FAILURE(connect());
  write_text(*client_, "never read");
  expect({{kServer, "rw"}});
  server_.reset();
  expect({{kClient, "rwe"}});
  EXPECT_EQ(read(*client_, 8), "failed 0");
  EXPECT_EQ(words(write_text(*client_, "x")), "failed 0");
}

TEST_P(EdgesTest, WhatIsReadyIsTheFirstEdgeOfANewPoller) {
  ASSERT_NO_FATAL_FAILURE(connect());
  write_text(*client_, "abc");
  network_->poller().remove(*server_);
  expect({});
  ASSERT_TRUE(network_->poller().add(*server_, 9));
  expect({{9, "rw"}});
}

INSTANTIATE_TEST_SUITE_P(Networks, EdgesTest, testing::Bool(),
                         [](const auto& instance) { return instance.param ? "Kernel" : "Memory"; });

}  // namespace
}  // namespace hermod::transport
