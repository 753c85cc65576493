// SPDX-License-Identifier: Apache-2.0
// Shows the last state of every topic of a filter, and each change, whatever happens to the
// connection. What is shown again after a new connection has been asked for again: what was
// retained meanwhile is not missed.
//
//   example_last_state PORT FILTER LAST    until the payload LAST comes
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
  options.backoff = {.initial = std::chrono::milliseconds(100)};
  options.on_change = [](const MqttSessionChange& change) {
    if (change.kind == MqttSessionChange::Kind::kLost) std::cout << "lost\n";
  };
  return options;
}

void show(MqttSession& session, const std::string& last) {
  session.async_receive([&session, last](error_code error, const MqttMessage& message) {
    if (error) return;
    std::cout << message.topic << " " << message.payload
              << (message.retain ? " (as it was)" : " (new)") << "\n";
    if (message.payload != last) return show(session, last);
    session.async_disconnect([](error_code) {});
  });
}

}  // namespace

int main(int argc, char** argv) {
  std::cout << std::unitbuf;  // so that each line is seen at once
  if (argc != 4) {
    std::cerr << "usage: example_last_state PORT FILTER LAST\n";
    return 2;
  }
  boost::asio::io_context io;
  MqttSession session(io.get_executor(), options(static_cast<std::uint16_t>(std::atoi(argv[1]))));
  int status = 0;
  session.async_connect([&](error_code error, bool) {
    if (!error) return;
    std::cerr << "gave up: " << error.message() << "\n";
    status = 1;
  });
  session.async_subscribe({{argv[2], model::Guarantee::kAtLeastOnce}},
                          [&](error_code, const MqttGrants& grants) {
                            if (grants.size() == 1 && grants[0]) return;
                            std::cerr << "cannot subscribe\n";
                            status = 1;
                            session.close();
                          });
  show(session, argv[3]);
  io.run();
  return status;
}
