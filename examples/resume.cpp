// SPDX-License-Identifier: Apache-2.0
// A session that survives lost connections and restarts of the broker: it counts on a topic, QoS 1,
// and prints what comes back, until it has seen the number COUNT.
//
//   example_resume PORT COUNT
#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <iostream>

#include "hermod/client/mqtt_session.hpp"

namespace {

using namespace hermod;
using namespace hermod::client;

MqttSessionOptions options(std::uint16_t port) {
  MqttSessionOptions options{.mqtt = {.host = "localhost", .port = port}};
  options.mqtt.session.version = mqtt::Version::kV5;
  options.mqtt.session.client_id = "example-resume";
  options.mqtt.session.session_expiry_s = 3'600;  // how long the server keeps the session
  options.backoff = {.initial = std::chrono::milliseconds(100),
                     .longest = std::chrono::milliseconds(5'000)};
  options.on_change = [](const MqttSessionChange& change) {
    if (change.kind == MqttSessionChange::Kind::kConnected) {
      std::cout << (change.session_present ? "resumed" : "connected") << "\n";
    } else {
      std::cout << "lost: " << change.error.message() << "\n";
    }
  };
  return options;
}

class Counter {
 public:
  Counter(boost::asio::io_context& io, std::uint16_t port, int last)
      : session_(io.get_executor(), options(port)), last_(last) {}

  void run() {
    session_.async_connect([](error_code error, bool) {
      if (error) std::cerr << "gave up: " << error.message() << "\n";
    });
    session_.async_subscribe({{"example/count", model::Guarantee::kAtLeastOnce}},
                             [this](error_code error, const MqttGrants&) {
                               if (!error) publish(1);
                             });
    receive();
  }

 private:
  void publish(int number) {
    if (number > last_) return;
    session_.async_publish({.topic = "example/count",
                            .payload = std::to_string(number),
                            .guarantee = model::Guarantee::kAtLeastOnce},
                           [this, number](error_code error) {
                             if (!error) publish(number + 1);
                           });
  }
  void receive() {
    session_.async_receive([this](error_code error, const MqttMessage& message) {
      if (error) return;
      std::cout << message.payload << "\n";
      if (message.payload != std::to_string(last_)) return receive();
      session_.async_disconnect([](error_code) {});
    });
  }

  MqttSession session_;
  int last_;
};

}  // namespace

int main(int argc, char** argv) {
  std::cout << std::unitbuf;  // so that each line is seen at once
  if (argc != 3) {
    std::cerr << "usage: example_resume PORT COUNT\n";
    return 2;
  }
  boost::asio::io_context io;
  Counter counter(io, static_cast<std::uint16_t>(std::atoi(argv[1])), std::atoi(argv[2]));
  counter.run();
  io.run();
}
