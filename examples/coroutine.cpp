// SPDX-License-Identifier: Apache-2.0
// Republishes COUNT messages of one filter under another topic, retained. With coroutines.
//
//   example_coroutine PORT FILTER PREFIX COUNT
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>
#include <iostream>

#include "hermod/client/mqtt_client.hpp"

namespace {

using namespace hermod::client;

boost::asio::awaitable<void> republish(std::uint16_t port, std::string filter, std::string prefix,
                                       int count) {
  using boost::asio::use_awaitable;
  const auto executor = co_await boost::asio::this_coro::executor;
  MqttClient client(executor, {.host = "localhost", .port = port});
  co_await client.async_connect(use_awaitable);
  std::vector<MqttSubscription> wanted{{std::move(filter)}};
  co_await client.async_subscribe(wanted, use_awaitable);
  std::cout << "subscribed\n";
  for (int i = 0; i < count; ++i) {
    const MqttMessage message = co_await client.async_receive(use_awaitable);
    MqttPublication copy{
        .topic = prefix + message.topic, .payload = message.payload, .retain = true};
    co_await client.async_publish(copy, use_awaitable);
  }
  co_await client.async_disconnect(use_awaitable);
}

}  // namespace

int main(int argc, char** argv) {
  std::cout << std::unitbuf;  // so that each line is seen at once
  if (argc != 5) {
    std::cerr << "usage: example_coroutine PORT FILTER PREFIX COUNT\n";
    return 2;
  }
  boost::asio::io_context io;
  int status = 0;
  boost::asio::co_spawn(io,
                        republish(static_cast<std::uint16_t>(std::atoi(argv[1])), argv[2], argv[3],
                                  std::atoi(argv[4])),
                        [&](const std::exception_ptr& failed) {
                          if (failed) std::cerr << "failed\n";
                          status = failed ? 1 : 0;
                        });
  io.run();
  return status;
}
