// SPDX-License-Identifier: Apache-2.0
// Publishing over MQTT: one message, or one for each line of the input.
#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <utility>

#include "commands/explain.hpp"
#include "commands/line_source.hpp"
#include "commands/mqtt_setup.hpp"
#include "commands/pub.hpp"

namespace hermod::app {
namespace {

constexpr std::size_t kLineBytesMax = 268'435'455;  // what an MQTT packet can hold at most
constexpr int kUnderWayMax = 100;                   // lines that were published and are not over

class MqttPub {
 public:
  explicit MqttPub(const PubOptions& options)
      : options_(options),
        loop_(options.client),
        lines_(loop_.io(), STDIN_FILENO, kLineBytesMax),
        client_(loop_.io().get_executor(), mqtt_options(options.client, loop_)),
        delay_(loop_.io()),
        properties_(options.client.properties.publish.of_message()),
        left_(options.repeat) {}

  int run(const std::string& payload) {
    connect(loop_, client_, options_.client, [this, payload] {
      if (options_.lines) return read_line();
      publish_next(payload);
    });
    return loop_.run([this] {
      delay_.cancel();
      say_goodbye(loop_, client_, options_.client);
    });
  }

 private:
  void read_line() {
    if (!options_.lines || reading_ || input_ended_ || under_way_ >= kUnderWayMax || loop_.ending())
      return;
    reading_ = true;
    lines_.next([this](client::error_code error, std::optional<std::string> line) {
      reading_ = false;
      if (loop_.ending()) return;
      if (error) return loop_.fail(fmt::format("Cannot read the input: {}.", error.message()));
      if (line) {
        publish(std::move(*line));
      } else {
        input_ended_ = true;
        end_when_over();
      }
      read_line();
    });
  }

  /// The message, and --repeat more of it, each after the one before it is over.
  void publish_next(const std::string& payload) {
    if (loop_.ending()) return;
    input_ended_ = --left_ == 0;
    publish(payload, [this, payload] {
      if (left_ == 0) return;
      delay_.expires_after(std::chrono::duration_cast<std::chrono::nanoseconds>(
          std::chrono::duration<double>(options_.repeat_delay_s)));
      delay_.async_wait([this, payload](client::error_code failed) {
        if (!failed) publish_next(payload);
      });
    });
  }

  void publish(std::string payload, std::move_only_function<void()> then = [] {}) {
    const int qos = options_.client.qos.value_or(0);
    ++under_way_;
    client_.async_publish({.topic = options_.topic,
                           .payload = std::move(payload),
                           .guarantee = static_cast<model::Guarantee>(qos),
                           .retain = options_.retain,
                           .properties = properties_},
                          [this, then = std::move(then)](client::error_code error) mutable {
                            --under_way_;
                            if (loop_.ending()) return;
                            if (error && !is_only_a_warning(error)) {
                              return loop_.fail(explain(error, client_, options_.client));
                            }
                            then();
                            end_when_over();
                            read_line();
                          });
  }

  /// mosquitto_pub goes on, and ends with 0, when the broker refuses a message (MQTT 5).
  bool is_only_a_warning(client::error_code error) {
    const mqtt::ReasonCode code = client_.refusal().code;
    if (!options_.client.program.mosquitto || client::to_error(code) != error) return false;
    loop_.error(explain(error, client_, options_.client));
    return true;
  }

  void end_when_over() {
    if (input_ended_ && under_way_ == 0) loop_.end(0);
  }

  const PubOptions& options_;
  CommandLoop loop_;
  LineSource lines_;
  client::MqttClient client_;
  boost::asio::steady_timer delay_;
  mqtt::MessageProperties properties_;
  std::uint32_t left_;  // repetitions of the one message
  int under_way_ = 0;
  bool reading_ = false;
  bool input_ended_ = false;
};

}  // namespace

int run_pub_mqtt(const PubOptions& options, const std::string& payload) {
  return MqttPub(options).run(payload);
}

}  // namespace hermod::app
