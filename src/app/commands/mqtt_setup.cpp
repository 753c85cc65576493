// SPDX-License-Identifier: Apache-2.0
// What pub and sub do alike over MQTT.
#include "commands/mqtt_setup.hpp"

#include <fmt/format.h>

#include <memory>
#include <utility>
#include <vector>

#include "commands/exit_code.hpp"
#include "commands/explain.hpp"
#include "commands/explain_way.hpp"
#include "commands/packet_lines.hpp"
#include "hermod/client/scram.hpp"

namespace hermod::app {
namespace {

using mqtt::PropertyId;

std::vector<std::uint8_t> octets(const std::string& text) {
  return {text.begin(), text.end()};
}

/// What -D connect says beside what has an option of its own.
void say_properties(const ClientOptions& options, mqtt::ClientOptions& session) {
  const GivenProperties& given = options.properties.connect;
  session.session_expiry_s = options.session_expiry_s;
  if (options.receive_max != 0) session.receive_max = options.receive_max;
  session.receive_max = static_cast<std::uint16_t>(
      given.number(PropertyId::kReceiveMaximum).value_or(session.receive_max));
  session.packet_bytes_max =
      given.number(PropertyId::kMaximumPacketSize).value_or(session.packet_bytes_max);
  session.topic_alias_max =
      static_cast<std::uint16_t>(given.number(PropertyId::kTopicAliasMaximum).value_or(0));
  session.own_topic_alias_max = static_cast<std::uint16_t>(
      options.properties.publish.number(PropertyId::kTopicAlias).value_or(0));
  session.request_problem_information =
      given.number(PropertyId::kRequestProblemInformation).value_or(1) != 0;
  session.request_response_information =
      given.number(PropertyId::kRequestResponseInformation).value_or(0) != 0;
  session.user_properties = given.user();
}

}  // namespace

client::MqttOptions mqtt_options(const ClientOptions& options) {
  client::MqttOptions out{
      .host = options.host, .port = options.port, .local_host = options.local_host};
  out.unix_path = options.unix_path;
  out.service = options.service;
  if (options.proxy) {
    out.proxy = client::SocksProxy{.host = options.proxy->host,
                                   .port = options.proxy->port,
                                   .user = options.proxy->user,
                                   .password = options.proxy->password};
  }
  out.session.version = options.protocol;
  out.session.client_id = options.id;
  out.session.clean_session = !options.keep_session;
  out.session.keep_alive_s = options.keep_alive_s;
  out.session.inflight_max = options.inflight_max.value_or(out.session.inflight_max);
  out.session.resend_after_s = options.resend_after_s.value_or(0);
  if (!options.auth.empty()) {
    out.session.authenticator =
        std::make_shared<client::ScramAuthenticator>(*options.user, *options.password);
  } else {
    out.session.user_name = options.user;
    if (options.password) out.session.password = octets(*options.password);
  }
  if (!options.will_topic.empty()) {
    out.session.will = mqtt::ClientOptions::Will{
        .topic = options.will_topic,
        .payload = octets(options.will_payload.value_or("")),
        .guarantee = static_cast<model::Guarantee>(options.will_qos.value_or(0)),
        .retain = options.will_retain,
        .delay_s = options.properties.will.number(PropertyId::kWillDelayInterval).value_or(0),
        .properties = options.properties.will.of_message()};
  }
  if (options.protocol == mqtt::Version::kV5) say_properties(options, out.session);
  return out;
}

client::MqttOptions mqtt_options(const ClientOptions& options, const CommandLoop& loop) {
  client::MqttOptions out = mqtt_options(options);
  if (options.debug) {
    out.on_packet = [&loop, told = std::make_shared<PacketLines>(options)](bool sent,
                                                                           Bytes packet) {
      const std::string lines = told->lines(sent, packet);
      if (!lines.empty()) loop.debug(lines);
    };
  }
  return out;
}

client::MqttRequestProperties request_properties(const GivenProperties& given) {
  return {.subscription_id = given.number(PropertyId::kSubscriptionIdentifier).value_or(0),
          .user = given.user()};
}

std::string explain(client::error_code error, const client::MqttClient& client,
                    const ClientOptions& options, bool connected) {
  if (error == client::Error::kUnproven) {
    return fmt::format(
        "{}: authentication failed on this side: {}. Check -u and -P, and that this is the broker "
        "that you mean.",
        peer_text(options), client.authentication_fault());
  }
  const mqtt::Refusal& refusal = client.refusal();
  const bool said = mqtt::is_failure(refusal.code) && client::to_error(refusal.code) == error;
  std::string text = said && connected ? fmt::format("{}: {}.", peer_text(options), error.message())
                                       : explain(error, options);
  if (said && !refusal.reason_string.empty()) {
    text += fmt::format(" Its reason: {}", refusal.reason_string);
  }
  if (said && !client.server().server_reference.empty()) {
    text +=
        fmt::format(" It names another server for -h and -p: {}", client.server().server_reference);
  }
  return text;
}

std::string subscription_refusal(std::string_view filter, const client::MqttGrant& grant,
                                 const client::MqttClient& client, const ClientOptions& options) {
  if (options.protocol != mqtt::Version::kV5) {
    return fmt::format(
        "The broker refused the subscription to \"{}\". It may not be allowed, or a limit of the "
        "broker is reached: its log tells.",
        filter);
  }
  const std::string& why = client.refusal().reason_string;
  return fmt::format("The broker refused the subscription to \"{}\": {}.{}{}", filter,
                     mqtt::to_text(static_cast<mqtt::ReasonCode>(grant.code)),
                     why.empty() ? "" : " Its reason: ", why);
}

int refusal_status(client::error_code error, const client::MqttClient& client,
                   const ClientOptions& options) {
  if (!options.program.mosquitto) return kExitError;
  if (const int status = mosquitto_status(error); status != 0) return status;
  const mqtt::Refusal& refusal = client.refusal();
  if (mqtt::is_failure(refusal.code)) return static_cast<int>(refusal.code);
  // MQTT 3.1.1 Table 3.1
  const bool code = error.category() == client::error_category() && error.value() <= 5;
  return code ? error.value() : kExitError;
}

void connect(CommandLoop& loop, client::MqttClient& client, const ClientOptions& options,
             std::move_only_function<void()> next) {
  client.async_connect([&, next = std::move(next)](client::error_code error, bool) mutable {
    if (loop.ending()) return;
    if (error) {
      return loop.fail(explain(error, client, options, false),
                       refusal_status(error, client, options));
    }
    next();
  });
}

void say_goodbye(CommandLoop& loop, client::MqttClient& client, const ClientOptions& options) {
  const GivenProperties& given = options.properties.disconnect;
  // mosquitto's programs let the broker publish the will when nothing came in time.
  const bool with_will = options.program.mosquitto && loop.timed_out();
  client.async_disconnect({.reason = with_will ? mqtt::ReasonCode::kDisconnectWithWillMessage
                                               : mqtt::ReasonCode::kNormalDisconnection,
                           .session_expiry_s = given.number(PropertyId::kSessionExpiryInterval),
                           .reason_string = given.text(PropertyId::kReasonString),
                           .user = given.user()},
                          [&](client::error_code) { loop.stop(); });
}

}  // namespace hermod::app
