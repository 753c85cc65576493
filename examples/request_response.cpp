// SPDX-License-Identifier: Apache-2.0
// A question and its answer over MQTT 5: the question names the topic for the answer and carries
// octets that the answer repeats, so that it is known which question it belongs to.
//
//   example_request_response PORT QUESTION
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>
#include <iostream>

#include "hermod/client/mqtt_client.hpp"

namespace {

using namespace hermod;
using namespace hermod::client;
using boost::asio::use_awaitable;

MqttOptions options(std::uint16_t port) {
  MqttOptions options{.host = "localhost", .port = port};
  options.session.version = mqtt::Version::kV5;
  return options;
}

/// Answers the first question.
boost::asio::awaitable<void> answer_one(MqttClient& server) {
  const MqttMessage question = co_await server.async_receive(use_awaitable);
  MqttPublication answer{.topic = question.properties.response_topic,
                         .payload = "you said: " + question.payload};
  answer.properties.correlation_data = question.properties.correlation_data;
  co_await server.async_publish(answer, use_awaitable);
  co_await server.async_disconnect(use_awaitable);
}

boost::asio::awaitable<void> ask(std::uint16_t port, std::string text) {
  const auto executor = co_await boost::asio::this_coro::executor;
  MqttClient server(executor, options(port));
  co_await server.async_connect(use_awaitable);
  std::vector<MqttSubscription> questions{{"example/questions"}};
  co_await server.async_subscribe(questions, use_awaitable);
  boost::asio::co_spawn(executor, answer_one(server), [](const std::exception_ptr&) {});

  MqttClient client(executor, options(port));
  co_await client.async_connect(use_awaitable);
  std::vector<MqttSubscription> answers{{"example/answers/1"}};
  co_await client.async_subscribe(answers, use_awaitable);
  MqttPublication question{.topic = "example/questions", .payload = std::move(text)};
  question.properties.response_topic = "example/answers/1";
  question.properties.correlation_data = "question 1";
  co_await client.async_publish(question, use_awaitable);
  const MqttMessage answer = co_await client.async_receive(use_awaitable);
  std::cout << answer.properties.correlation_data << ": " << answer.payload << "\n";
  co_await client.async_disconnect(use_awaitable);
}

}  // namespace

int main(int argc, char** argv) {
  std::cout << std::unitbuf;  // so that each line is seen at once
  if (argc != 3) {
    std::cerr << "usage: example_request_response PORT QUESTION\n";
    return 2;
  }
  boost::asio::io_context io;
  int status = 0;
  const auto port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  boost::asio::co_spawn(io, ask(port, argv[2]), [&](const std::exception_ptr& failed) {
    if (!failed) return;
    status = 1;
    std::cerr << "failed\n";
  });
  io.run();
  return status;
}
