// SPDX-License-Identifier: Apache-2.0
// Subscribing over MQTT.
#include <boost/asio/steady_timer.hpp>
#include <chrono>
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
        loop_(options.client),
        sink_(options, std::move(format), loop_),
        client_(loop_.io().get_executor(), mqtt_options(options.client, loop_)),
        pause_(loop_.io()) {}

  int run() {
    connect(loop_, client_, options_.client, [this] { begin(); });
    return loop_.run([this] {
      pause_.cancel();
      say_goodbye(loop_, client_, options_.client);
    });
  }

 private:
  void begin() {
    was_connected_ = true;
    waiting_ = false;
    receive();  // a kept session may have messages before anything is subscribed
    subscribe();
  }

  /// A request or the connection has failed. mosquitto_sub connects again until it can.
  void on_error(client::error_code error) {
    if (loop_.ending()) return;
    const bool said = client::to_error(client_.refusal().code) == error && error;
    if (!options_.client.program.mosquitto || !was_connected_ || said || !is_lost(error)) {
      return loop_.fail(explain(error, client_, options_.client));
    }
    connect_again_later();
  }

  /// The connection is lost; anything else would fail again.
  static bool is_lost(client::error_code error) {
    return error.category() != client::error_category() ||
           error == client::Error::kClosedByServer || error == client::Error::kTimeout;
  }

  void connect_again_later() {
    if (std::exchange(waiting_, true)) return;  // every request of the connection fails
    pause_.expires_after(std::chrono::seconds(1));
    pause_.async_wait([this](client::error_code failed) {
      if (!failed && !loop_.ending()) connect_again();
    });
  }

  void connect_again() {
    client_ = client::MqttClient(loop_.io().get_executor(), mqtt_options(options_.client, loop_));
    client_.async_connect([this](client::error_code error, bool) {
      if (loop_.ending()) return;
      if (!error) return begin();
      const int status = refusal_status(error, client_, options_.client);
      if (status != kExitError) {
        return loop_.fail(explain(error, client_, options_.client, false), status);
      }
      waiting_ = false;
      connect_again_later();
    });
  }

  void subscribe() {
    if (options_.topics.empty()) return unsubscribe();
    const auto qos = static_cast<model::Guarantee>(options_.client.qos.value_or(0));
    std::vector<client::MqttSubscription> subscriptions;
    for (const std::string& topic : options_.topics) {
      subscriptions.push_back({.filter = topic,
                               .guarantee_max = qos,
                               .retain_as_published = options_.retain_as_published,
                               .retain_handling = options_.retain_handling});
    }
    client_.async_subscribe(std::move(subscriptions),
                            request_properties(options_.client.properties.subscribe),
                            [this](client::error_code error, const client::MqttGrants& grants) {
                              if (loop_.ending()) return;
                              if (error) return on_error(error);
                              on_subscribed(grants);
                            });
  }

  void on_subscribed(const client::MqttGrants& grants) {
    std::size_t refused = 0;
    for (std::size_t i = 0; i < grants.size(); ++i) {
      if (grants[i]) continue;
      ++refused;
      loop_.error(subscription_refusal(options_.topics[i], grants[i], client_, options_.client));
    }
    if (refused == grants.size()) {
      if (!options_.client.program.mosquitto) return loop_.end(kExitError);
      loop_.error("All subscription requests were denied.");
      return loop_.end(kExitOk);  // as mosquitto_sub has it
    }
    unsubscribe();
  }

  void unsubscribe() {
    if (options_.unsubscribe.empty()) return on_settled();
    client_.async_unsubscribe(options_.unsubscribe,
                              request_properties(options_.client.properties.unsubscribe),
                              [this](client::error_code error) {
                                if (loop_.ending()) return;
                                if (error) return on_error(error);
                                on_settled();
                              });
  }

  void on_settled() {
    if (options_.exit_after_subscribing) loop_.end(kExitOk);
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
                            if (error) on_error(error);
                          });
  }

  const SubOptions& options_;
  CommandLoop loop_;
  MessageSink sink_;
  client::MqttClient client_;
  boost::asio::steady_timer pause_;  // before the next attempt to connect
  bool was_connected_ = false;
  bool waiting_ = false;
};

}  // namespace

int run_sub_mqtt(const SubOptions& options, MessageFormat format) {
  return MqttSub(options, std::move(format)).run();
}

}  // namespace hermod::app
