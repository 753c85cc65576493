// SPDX-License-Identifier: Apache-2.0
// Subscribing over MQTT.
#include <fmt/format.h>

#include <utility>

#include "commands/exit_code.hpp"
#include "commands/explain.hpp"
#include "commands/message_sink.hpp"
#include "commands/mqtt_setup.hpp"
#include "commands/sub.hpp"

namespace hermod::app {
namespace {

class MqttSub {
 public:
  MqttSub(const SubOptions& options, MessageFormat format)
      : options_(options),
        loop_("sub", options.client),
        sink_(options, std::move(format), loop_),
        client_(loop_.io().get_executor(), mqtt_options(options.client)) {}

  int run() {
    connect(loop_, client_, options_.client, [this] {
      receive();  // a kept session may have messages before anything is subscribed
      subscribe();
    });
    return loop_.run([this] { say_goodbye(loop_, client_, options_.client); });
  }

 private:
  void debug(const std::string& text) const {
    loop_.debug(fmt::format("{} {}", client_text(options_.client), text));
  }

  void subscribe() {
    if (options_.topics.empty()) return unsubscribe();
    const auto qos = static_cast<model::Guarantee>(options_.client.qos.value_or(0));
    std::vector<client::MqttSubscription> subscriptions;
    for (const std::string& topic : options_.topics) {
      debug(fmt::format("sending SUBSCRIBE (Topic: {}, QoS: {})", topic, static_cast<int>(qos)));
      subscriptions.push_back({.filter = topic,
                               .guarantee_max = qos,
                               .retain_as_published = options_.retain_as_published,
                               .retain_handling = options_.no_retained
                                                      ? mqtt::RetainHandling::kDoNotSend
                                                      : mqtt::RetainHandling::kSend});
    }
    client_.async_subscribe(std::move(subscriptions),
                            request_properties(options_.client.properties.subscribe),
                            [this](client::error_code error, const client::MqttGrants& grants) {
                              if (loop_.ending()) return;
                              if (error)
                                return loop_.fail(explain(error, client_, options_.client));
                              on_subscribed(grants);
                            });
  }

  void on_subscribed(const client::MqttGrants& grants) {
    debug("received SUBACK");
    std::size_t refused = 0;
    for (std::size_t i = 0; i < grants.size(); ++i) {
      if (grants[i]) {
        loop_.debug(fmt::format("Subscribed: {}", static_cast<int>(*grants[i])));
        continue;
      }
      ++refused;
      loop_.error(refusal_text(options_.topics[i], grants[i]));
    }
    if (refused == grants.size()) return loop_.end(kExitError);
    unsubscribe();
  }

  [[nodiscard]] std::string refusal_text(const std::string& topic,
                                         const client::MqttGrant& grant) const {
    const auto code = static_cast<mqtt::ReasonCode>(grant.code);
    if (options_.client.protocol != mqtt::Version::kV5) {
      return fmt::format(
          "The broker refused the subscription to \"{}\". It may not be allowed, or a limit of the "
          "broker is reached: its log tells.",
          topic);
    }
    const std::string& why = client_.refusal().reason_string;
    return fmt::format("The broker refused the subscription to \"{}\": {}.{}{}", topic,
                       mqtt::to_text(code), why.empty() ? "" : " Its reason: ", why);
  }

  void unsubscribe() {
    if (options_.unsubscribe.empty()) return on_settled();
    for (const std::string& topic : options_.unsubscribe) {
      debug(fmt::format("sending UNSUBSCRIBE (Topic: {})", topic));
    }
    client_.async_unsubscribe(options_.unsubscribe,
                              request_properties(options_.client.properties.unsubscribe),
                              [this](client::error_code error) {
                                if (loop_.ending()) return;
                                if (error)
                                  return loop_.fail(explain(error, client_, options_.client));
                                debug("received UNSUBACK");
                                on_settled();
                              });
  }

  void on_settled() {
    if (options_.exit_after_subscribing) loop_.end(kExitOk);
  }

  void receive() {
    client_.async_receive([this](client::error_code error, const client::MqttMessage& message) {
      if (loop_.ending()) return;
      if (error) return loop_.fail(explain(error, client_, options_.client));
      take(message);
      if (!loop_.ending()) receive();
    });
  }

  void take(const client::MqttMessage& message) {
    const auto qos = static_cast<std::uint8_t>(message.guarantee);
    debug(fmt::format("received PUBLISH (q{}, r{}, m{}, '{}', ... ({} bytes))", qos,
                      message.retain ? 1 : 0, message.packet_id, message.topic,
                      message.payload.size()));
    const bool through = sink_.take({.topic = message.topic,
                                     .payload = as_bytes(message.payload),
                                     .qos = qos,
                                     .retain = message.retain,
                                     .packet_id = message.packet_id,
                                     .properties = &message.properties,
                                     .subscription_ids = message.subscription_ids});
    if (!through || !options_.remove_retained || !message.retain) return;
    client_.async_publish({.topic = message.topic, .guarantee = message.guarantee, .retain = true},
                          [this](client::error_code error) {
                            if (error && !loop_.ending())
                              loop_.fail(explain(error, client_, options_.client));
                          });
  }

  const SubOptions& options_;
  CommandLoop loop_;
  MessageSink sink_;
  client::MqttClient client_;
};

}  // namespace

int run_sub_mqtt(const SubOptions& options, MessageFormat format) {
  return MqttSub(options, std::move(format)).run();
}

}  // namespace hermod::app
