// SPDX-License-Identifier: Apache-2.0
// Prints the next COUNT messages of a filter. With futures: the network runs in a thread of its
// own, and this one waits.
//
//   example_subscribe PORT FILTER COUNT
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_future.hpp>
#include <cstdlib>
#include <iostream>
#include <thread>

#include "hermod/client/mqtt_client.hpp"

namespace {

using namespace hermod::client;

/// A client is used from one strand. This one asks for an operation there and waits for its result.
template <typename Start>
auto result_of(boost::asio::any_io_executor strand, Start start) {
  return boost::asio::post(strand, boost::asio::use_future([start] { return start(); }))
      .get()
      .get();
}

int print_messages(std::uint16_t port, const std::string& filter, int count) {
  using boost::asio::use_future;
  boost::asio::io_context io;
  const auto busy = boost::asio::make_work_guard(io);
  std::jthread network([&io] { io.run(); });
  const boost::asio::any_io_executor strand = boost::asio::make_strand(io);
  int status = 0;
  try {
    MqttClient client(strand, {.host = "localhost", .port = port});
    result_of(strand, [&] { return client.async_connect(use_future); });
    const MqttGrants grants =
        result_of(strand, [&] { return client.async_subscribe({{filter}}, use_future); });
    if (!grants.at(0)) throw std::runtime_error("the server refuses the filter");
    std::cout << "subscribed\n";
    for (int i = 0; i < count; ++i) {
      const auto message = result_of(strand, [&] { return client.async_receive(use_future); });
      std::cout << message.topic << " " << message.payload << "\n";
    }
    result_of(strand, [&] { return client.async_disconnect(use_future); });
  } catch (const std::exception& error) {
    std::cerr << "failed: " << error.what() << "\n";
    status = 1;
  }
  io.stop();
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  std::cout << std::unitbuf;  // so that each line is seen at once
  if (argc != 4) {
    std::cerr << "usage: example_subscribe PORT FILTER COUNT\n";
    return 2;
  }
  return print_messages(static_cast<std::uint16_t>(std::atoi(argv[1])), argv[2],
                        std::atoi(argv[3]));
}
