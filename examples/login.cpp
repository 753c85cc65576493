// SPDX-License-Identifier: Apache-2.0
// Proves who it is by SCRAM-SHA-256, which sends no password, publishes, and proves it again on the
// same connection. With coroutines.
//
//   example_login PORT USER PASSWORD TOPIC MESSAGE
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>
#include <iostream>

#include "hermod/client/mqtt_client.hpp"
#include "hermod/client/scram.hpp"

namespace {

using namespace hermod;
using client::error_code;
using client::MqttClient;

struct Wanted {
  std::uint16_t port = 0;
  std::string user;
  std::string password;
  client::MqttPublication message;
};

boost::asio::awaitable<int> run(Wanted wanted) {
  using boost::asio::redirect_error;
  using boost::asio::use_awaitable;
  client::MqttOptions options{.host = "localhost", .port = wanted.port};
  options.session.version = mqtt::Version::kV5;
  options.session.authenticator =
      std::make_shared<client::ScramAuthenticator>(wanted.user, wanted.password);

  MqttClient client(co_await boost::asio::this_coro::executor, options);
  error_code error;
  co_await client.async_connect(redirect_error(use_awaitable, error));
  if (error) {
    std::cerr << "cannot log in: " << error.message() << "\n";
    co_return 1;
  }
  std::cout << "logged in\n";
  co_await client.async_publish(wanted.message, use_awaitable);
  co_await client.async_reauthenticate(use_awaitable);
  std::cout << "proven again\n";
  co_await client.async_disconnect(use_awaitable);
  co_return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::cerr << "usage: example_login PORT USER PASSWORD TOPIC MESSAGE\n";
    return 2;
  }
  const Wanted wanted{.port = static_cast<std::uint16_t>(std::atoi(argv[1])),
                      .user = argv[2],
                      .password = argv[3],
                      .message = {.topic = argv[4], .payload = argv[5], .retain = true}};
  boost::asio::io_context io;
  int status = 1;
  boost::asio::co_spawn(io, run(wanted), [&](const std::exception_ptr& failed, int ended) {
    if (failed) std::cerr << "failed\n";
    status = failed ? 1 : ended;
  });
  io.run();
  return status;
}
