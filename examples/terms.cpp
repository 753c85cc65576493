// SPDX-License-Identifier: Apache-2.0
// All that MQTT 5 lets a client ask for and a server answer: terms, subscription options,
// properties, refusals, and how the server says why it ends the connection. Two with the same
// CLIENT-ID end one another.
//
//   example_terms PORT CLIENT-ID
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>
#include <iostream>

#include "hermod/client/mqtt_client.hpp"

namespace {

using namespace hermod;
using namespace hermod::client;
using boost::asio::use_awaitable;

MqttOptions options(std::uint16_t port, std::string client_id) {
  MqttOptions options{.host = "localhost", .port = port};
  options.session = {
      .version = mqtt::Version::kV5,
      .client_id = std::move(client_id),
      .keep_alive_s = 30,
      .packet_bytes_max = 100'000,  // larger messages are not sent to us
      .inflight_max = 10,           // how many of ours are under way
      .session_expiry_s = 60,       // the server keeps the session so long without us
      .receive_max = 5,             // how many of theirs are under way
      .topic_alias_max = 8,         // topics that the server may send as numbers
      .own_topic_alias_max = 8,     // and that we send as numbers, if the server takes them
      .user_properties = {{"firmware", "1.2"}},
  };
  return options;
}

void show_terms(const mqtt::ServerTerms& terms) {
  if (!terms.client_id.empty()) std::cout << "we are called " << terms.client_id << "\n";
  std::cout << "keep-alive " << terms.keep_alive_s << " s, session " << terms.session_expiry_s
            << " s, QoS up to " << static_cast<int>(terms.guarantee_max)
            << (terms.shared_subscriptions ? ", shared subscriptions" : "") << "\n";
}

boost::asio::awaitable<void> subscribe(MqttClient& client) {
  // A group of clients shares the messages of this one.
  std::vector<MqttSubscription> shared{{"$share/group/work/#", model::Guarantee::kAtLeastOnce}};
  co_await client.async_subscribe(shared, use_awaitable);

  std::vector<MqttSubscription> wanted{
      {.filter = "terms/#",
       .guarantee_max = model::Guarantee::kExactlyOnce,
       .no_local = false,            // true: not what we publish ourselves
       .retain_as_published = true,  // the publisher's flag, also when it is not a last value
       .retain_handling = mqtt::RetainHandling::kDoNotSend},
      {.filter = "not/#/a/filter"}};
  MqttRequestProperties request{.subscription_id = 7};
  error_code error;
  co_await client.async_subscribe(wanted, request, redirect_error(use_awaitable, error));
  std::cout << "not asked for: " << error.message() << "\n";
  wanted.pop_back();
  const MqttGrants grants = co_await client.async_subscribe(wanted, request, use_awaitable);
  for (const MqttGrant& grant : grants) {
    std::cout << (grant ? "granted QoS " + std::to_string(static_cast<int>(*grant)) : "refused")
              << "\n";
  }
}

boost::asio::awaitable<void> publish(MqttClient& client) {
  MqttPublication message{.topic = "terms/a",
                          .payload = "{}",
                          .guarantee = model::Guarantee::kExactlyOnce,
                          .properties = {.content_type = "application/json",
                                         .response_topic = "terms/answers",
                                         .correlation_data = "17",
                                         .expiry_s = 3'600,
                                         .text = true,
                                         .user = {{"room", "1"}, {"room", "2"}}}};
  co_await client.async_publish(message, use_awaitable);
}

boost::asio::awaitable<void> receive(MqttClient& client) {
  const MqttMessage message = co_await client.async_receive(use_awaitable);
  std::cout << message.topic << " " << message.payload << " as " << message.properties.content_type
            << ", for subscription " << message.subscription_ids.at(0);
  for (const auto& [name, value] : message.properties.user) {
    std::cout << ", " << name << " " << value;
  }
  std::cout << "\n";
}

/// Waits until the server ends it.
boost::asio::awaitable<void> wait_for_the_end(MqttClient& client) {
  error_code error;
  while (!error) co_await client.async_receive(redirect_error(use_awaitable, error));
  std::cout << "ended: " << error.message() << "\n";
  const mqtt::Refusal& refusal = client.refusal();
  if (!refusal.reason_string.empty()) std::cout << "because " << refusal.reason_string << "\n";
  if (refusal.code == mqtt::ReasonCode::kUseAnotherServer ||
      refusal.code == mqtt::ReasonCode::kServerMoved) {
    std::cout << "go to " << client.server().server_reference << "\n";
  }
}

boost::asio::awaitable<void> run(std::uint16_t port, std::string client_id) {
  const auto executor = co_await boost::asio::this_coro::executor;
  MqttClient client(executor, options(port, std::move(client_id)));
  co_await client.async_connect(use_awaitable);
  show_terms(client.server());
  co_await subscribe(client);
  co_await publish(client);
  co_await receive(client);
  co_await wait_for_the_end(client);
}

}  // namespace

int main(int argc, char** argv) {
  std::cout << std::unitbuf;  // so that each line is seen at once
  if (argc != 3) {
    std::cerr << "usage: example_terms PORT CLIENT-ID\n";
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
