// SPDX-License-Identifier: Apache-2.0
// A device whose state is always true: it says "online" itself, and leaves a will that says
// "offline" for it when it is lost. Both are retained. It ends when somebody publishes to its topic
// for orders.
//
//   example_will PORT NAME
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "hermod/client/mqtt_client.hpp"

namespace {

using namespace hermod;
using namespace hermod::client;

MqttOptions options(std::uint16_t port, const std::string& name) {
  constexpr std::string_view kOffline = "offline";
  MqttOptions options{.host = "localhost", .port = port};
  options.session.version = mqtt::Version::kV5;
  options.session.keep_alive_s = 10;  // lost is who is silent for one and a half times that
  options.session.will = {.topic = "state/" + name,
                          .payload = {kOffline.begin(), kOffline.end()},
                          .guarantee = model::Guarantee::kAtLeastOnce,
                          .retain = true,
                          .properties = {.content_type = "text/plain"}};
  return options;
}

boost::asio::awaitable<void> run(std::uint16_t port, std::string name) {
  using boost::asio::use_awaitable;
  const auto executor = co_await boost::asio::this_coro::executor;
  MqttClient client(executor, options(port, name));
  co_await client.async_connect(use_awaitable);
  std::vector<MqttSubscription> orders{{"orders/" + name}};
  co_await client.async_subscribe(orders, use_awaitable);
  MqttPublication online{.topic = "state/" + name,
                         .payload = "online",
                         .guarantee = model::Guarantee::kAtLeastOnce,
                         .retain = true};
  co_await client.async_publish(online, use_awaitable);
  std::cout << "online\n";
  co_await client.async_receive(use_awaitable);
  // With any other reason the server would forget the will.
  MqttFarewell farewell{.reason = mqtt::ReasonCode::kDisconnectWithWillMessage};
  co_await client.async_disconnect(farewell, use_awaitable);
}

}  // namespace

int main(int argc, char** argv) {
  std::cout << std::unitbuf;  // so that each line is seen at once
  if (argc != 3) {
    std::cerr << "usage: example_will PORT NAME\n";
    return 2;
  }
  boost::asio::io_context io;
  int status = 0;
  const auto port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  boost::asio::co_spawn(io, run(port, argv[2]), [&](const std::exception_ptr& failed) {
    if (!failed) return;
    status = 1;
    std::cerr << "failed\n";
  });
  io.run();
  return status;
}
