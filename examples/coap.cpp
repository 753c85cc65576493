// SPDX-License-Identifier: Apache-2.0
// CoAP: sets the value of a topic, reads it, then observes it and prints COUNT values, the first of
// them the one that is there.
//
//   example_coap PORT TOPIC VALUE COUNT
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>
#include <iostream>

#include "hermod/client/coap_client.hpp"

namespace {

using namespace hermod::client;

boost::asio::awaitable<void> put_get_observe(std::uint16_t port, std::string topic,
                                             std::string value, int count) {
  using boost::asio::use_awaitable;
  const CoapPath path = hermod::coap::path_of_topic(topic);
  const auto executor = co_await boost::asio::this_coro::executor;
  CoapClient client(executor, {.host = "localhost", .port = port});
  co_await client.async_connect(use_awaitable);
  CoapPut put{.payload = std::move(value), .content_type = "text/plain"};
  co_await client.async_put(path, put, use_awaitable);
  const CoapResponse response = co_await client.async_get(path, use_awaitable);
  std::cout << "value: " << response.payload << "\n";
  const CoapObservation observation = co_await client.async_observe(path, use_awaitable);
  for (int i = 0; i < count; ++i) {
    const CoapNotification notification = co_await client.async_receive(use_awaitable);
    std::cout << "observed: " << notification.payload << "\n";
  }
  co_await client.async_cancel(observation, use_awaitable);
  client.close();
}

}  // namespace

int main(int argc, char** argv) {
  std::cout << std::unitbuf;  // so that each line is seen at once
  if (argc != 5) {
    std::cerr << "usage: example_coap PORT TOPIC VALUE COUNT\n";
    return 2;
  }
  boost::asio::io_context io;
  int status = 0;
  boost::asio::co_spawn(io,
                        put_get_observe(static_cast<std::uint16_t>(std::atoi(argv[1])), argv[2],
                                        argv[3], std::atoi(argv[4])),
                        [&](const std::exception_ptr& failed) {
                          if (failed) std::cerr << "failed\n";
                          status = failed ? 1 : 0;
                        });
  io.run();
  return status;
}
