// SPDX-License-Identifier: Apache-2.0
// Publishes one message with QoS 1 and waits for the acknowledgement. With callbacks.
//
//   example_publish PORT TOPIC MESSAGE
#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <iostream>

#include "hermod/client/mqtt_client.hpp"

int main(int argc, char** argv) {
  using namespace hermod;
  if (argc != 4) {
    std::cerr << "usage: example_publish PORT TOPIC MESSAGE\n";
    return 2;
  }
  boost::asio::io_context io;
  client::MqttClient client(
      io.get_executor(),
      {.host = "localhost", .port = static_cast<std::uint16_t>(std::atoi(argv[1]))});
  const client::MqttPublication message{
      .topic = argv[2], .payload = argv[3], .guarantee = model::Guarantee::kAtLeastOnce};

  int status = 1;
  client.async_connect([&](client::error_code error, bool) {
    if (error) return void(std::cerr << "cannot connect: " << error.message() << "\n");
    client.async_publish(message, [&](client::error_code failed) {
      if (failed) return void(std::cerr << "cannot publish: " << failed.message() << "\n");
      status = 0;
      client.async_disconnect([](client::error_code) {});
    });
  });
  io.run();
  return status;
}
