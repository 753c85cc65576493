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
        client_(loop_.io().get_executor(), mqtt_options(client_options_)) {}

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
  void debug(std::string_view text) const {
    loop_.debug(fmt::format("{} {}", client_text(client_options_), text));
  }
  void on_error(client::error_code error) {
    if (!loop_.ending()) loop_.fail(explain(error, client_, client_options_));
  }

  void subscribe() {
    debug(fmt::format("sending SUBSCRIBE (Topic: {}, QoS: {})", options_.response_topic,
                      static_cast<int>(guarantee())));
    client_.async_subscribe({{.filter = options_.response_topic, .guarantee_max = guarantee()}},
                            request_properties(client_options_.properties.subscribe),
                            [this](client::error_code error, const client::MqttGrants& grants) {
                              if (loop_.ending()) return;
                              if (error) return on_error(error);
                              on_subscribed(grants.front());
                            });
  }

  void on_subscribed(const client::MqttGrant& grant) {
    debug("received SUBACK");
    if (!grant) {
      return loop_.fail(
          subscription_refusal(options_.response_topic, grant, client_, client_options_));
    }
    const PubOptions& request = options_.request;
    mqtt::MessageProperties properties = client_options_.properties.publish.of_message();
    properties.response_topic = options_.response_topic;
    debug(fmt::format("sending PUBLISH (q{}, r{}, '{}', ... ({} bytes))",
                      client_options_.qos.value_or(0), request.retain ? 1 : 0, request.topic,
                      payload_.size()));
    client_.async_publish({.topic = request.topic,
                           .payload = std::move(payload_),
                           .guarantee = guarantee(),
                           .retain = request.retain,
                           .properties = std::move(properties)},
                          [this](client::error_code error) {
                            if (error) on_error(error);
                          });
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
    debug(fmt::format("received PUBLISH (q{}, r{}, m{}, '{}', ... ({} bytes))", qos,
                      message.retain ? 1 : 0, message.packet_id, message.topic,
                      message.payload.size()));
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
