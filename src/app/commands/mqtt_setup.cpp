// SPDX-License-Identifier: Apache-2.0
// What pub and sub do alike over MQTT.
#include "commands/mqtt_setup.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "commands/explain.hpp"

namespace hermod::app {
namespace {

std::vector<std::uint8_t> octets(const std::string& text) {
  return {text.begin(), text.end()};
}

}  // namespace

client::MqttOptions mqtt_options(const ClientOptions& options) {
  client::MqttOptions out{.host = options.host, .port = options.port};
  out.session.client_id = options.id;
  out.session.clean_session = !options.keep_session;
  out.session.keep_alive_s = options.keep_alive_s;
  out.session.user_name = options.user;
  if (options.password) out.session.password = octets(*options.password);
  if (!options.will_topic.empty()) {
    out.session.will = mqtt::ClientOptions::Will{
        .topic = options.will_topic,
        .payload = octets(options.will_payload.value_or("")),
        .guarantee = static_cast<model::Guarantee>(options.will_qos.value_or(0)),
        .retain = options.will_retain};
  }
  return out;
}

std::string client_text(const ClientOptions& options) {
  return options.id.empty() ? "Client (id assigned by the broker)" : "Client " + options.id;
}

void connect(CommandLoop& loop, client::MqttClient& client, const ClientOptions& options,
             std::move_only_function<void()> next) {
  loop.debug(client_text(options) + " sending CONNECT");
  client.async_connect([&, next = std::move(next)](client::error_code error, bool) mutable {
    if (loop.ending()) return;
    if (error) return loop.fail(explain(error, options));
    loop.debug(client_text(options) + " received CONNACK (0)");
    next();
  });
}

void say_goodbye(CommandLoop& loop, client::MqttClient& client, const ClientOptions& options) {
  client.async_disconnect([&](client::error_code) { loop.stop(); });
  loop.debug(client_text(options) + " sending DISCONNECT");
}

}  // namespace hermod::app
