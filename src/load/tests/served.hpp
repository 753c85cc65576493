// SPDX-License-Identifier: Apache-2.0
// Runs a server of a test on a thread of its own for as long as it lives.
#pragma once

#include <memory>
#include <thread>
#include <utility>

namespace hermod::load {

template <typename Server>
class Served {
 public:
  explicit Served(std::unique_ptr<Server> server)
      : server_(std::move(server)), thread_([this] { server_->run(); }) {}
  ~Served() {
    server_->stop();
    thread_.join();
  }
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;

  Server* operator->() { return server_.get(); }

 private:
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

}  // namespace hermod::load
