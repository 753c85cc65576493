// SPDX-License-Identifier: Apache-2.0
// Request and response (MQTT 5.0 §4.10); before MQTT 5 the responder must know the response topic.
//   CONNECT -> SUBSCRIBE response topic -> PUBLISH request -> the first message that comes -> end
#include "commands/rr.hpp"

#include <fmt/format.h>

#include <utility>

#include "commands/exit_code.hpp"
#include "commands/message_sink.hpp"
#include "commands/mqtt_setup.hpp"
#include "commands/pub.hpp"
#include "commands/sub.hpp"

namespace hermod::app {
namespace {

class Requester {
 public:
  Requester(const RrOptions& options, MessageFormat format, std::string payload)
      : options_(options),
        client_options_(options.request.client),
        payload_(std::move(payload)),
        printing_{.print = options.print, .count = 1},
        loop_(client_options_),
        sink_(printing_, std::move(format), loop_),
        client_(loop_.io().get_executor(), mqtt_options(client_options_, loop_)) {}

  int run() {
    connect(loop_, client_, client_options_, [this] {
      receive();
      subscribe();
    });
    return loop_.run([this] { say_goodbye(loop_, client_, client_options_); });
  }

 private:
  [[nodiscard]] model::Guarantee guarantee() const {
    return static_cast<model::Guarantee>(client_options_.qos.value_or(0));
  }
  void on_error(client::error_code error) {
    if (!loop_.ending()) loop_.fail(explain(error, client_, client_options_));
  }

  void subscribe() {
    client_.async_subscribe({{.filter = options_.response_topic, .guarantee_max = guarantee()}},
                            request_properties(client_options_.properties.subscribe),
                            [this](client::error_code error, const client::MqttGrants& grants) {
                              if (loop_.ending()) return;
                              if (error) return on_error(error);
                              on_subscribed(grants.front());
                            });
  }

  void on_subscribed(const client::MqttGrant& grant) {
    if (!grant) {
      return loop_.fail(
          subscription_refusal(options_.response_topic, grant, client_, client_options_),
          client_options_.program.mosquitto ? kExitOk : kExitError);  // as mosquitto_rr has it
    }
    const PubOptions& request = options_.request;
    mqtt::MessageProperties properties = client_options_.properties.publish.of_message();
    properties.response_topic = options_.response_topic;
    client_.async_publish({.topic = request.topic,
                           .payload = std::move(payload_),
                           .guarantee = guarantee(),
                           .retain = request.retain,
                           .properties = std::move(properties)},
                          [this](client::error_code error) {
                            if (error && !is_only_a_warning(error)) on_error(error);
                          });
  }

  /// mosquitto_rr goes on waiting when the broker refuses the request (MQTT 5).
  [[nodiscard]] bool is_only_a_warning(client::error_code error) const {
    const bool refused = client::to_error(client_.refusal().code) == error;
    if (!client_options_.program.mosquitto || !refused) return false;
    loop_.error(explain(error, client_, client_options_));
    return true;
  }

  void receive() {
    client_.async_receive([this](client::error_code error, const client::MqttMessage& message) {
      if (loop_.ending()) return;
      if (error) return on_error(error);
      take(message);
      if (!loop_.ending()) receive();
    });
  }

  void take(const client::MqttMessage& message) {
    const auto qos = static_cast<std::uint8_t>(message.guarantee);
    if (!is_ours(message)) return;
    static_cast<void>(sink_.take({.topic = message.topic,
                                  .payload = as_bytes(message.payload),
                                  .qos = qos,
                                  .retain = message.retain,
                                  .packet_id = message.packet_id,
                                  .properties = &message.properties,
                                  .subscription_ids = message.subscription_ids}));
  }

  /// A response repeats the correlation data of its request (MQTT 5.0 §4.10.1). mosquitto_rr does
  /// not look at it.
  [[nodiscard]] bool is_ours(const client::MqttMessage& message) const {
    const std::string data =
        client_options_.properties.publish.text(mqtt::PropertyId::kCorrelationData);
    return client_options_.program.mosquitto || data.empty() ||
           message.properties.correlation_data == data;
  }

  const RrOptions& options_;
  const ClientOptions& client_options_;
  std::string payload_;
  SubOptions printing_;
  CommandLoop loop_;
  MessageSink sink_;
  client::MqttClient client_;
};

}  // namespace

int run_rr(const RrOptions& options) {
  const Program& program = options.request.client.program;
  auto format = format_of(options.print, program);
  if (!format) return program.wrong;
  auto payload = payload_of(options.request);
  if (!payload) {
    fmt::print(stderr, "{}\n", program.error_line(payload.error()));
    return kExitError;
  }
  return Requester(options, std::move(*format), std::move(*payload)).run();
}

}  // namespace hermod::app
