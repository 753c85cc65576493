// SPDX-License-Identifier: Apache-2.0
// Publishing over MQTT: one message, or one for each line of the input.
#include <fmt/format.h>
#include <unistd.h>

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
        loop_("pub", options.client),
        lines_(loop_.io(), STDIN_FILENO, kLineBytesMax),
        client_(loop_.io().get_executor(), mqtt_options(options.client)) {}

  int run(const std::string& payload) {
    connect(loop_, client_, options_.client, [this, payload] {
      if (options_.lines) return read_line();
      input_ended_ = true;
      publish(payload);
    });
    return loop_.run([this] { say_goodbye(loop_, client_, options_.client); });
  }

 private:
  void read_line() {
    if (reading_ || input_ended_ || under_way_ >= kUnderWayMax || loop_.ending()) return;
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

  void publish(std::string payload) {
    const int qos = options_.client.qos.value_or(0);
    loop_.debug(fmt::format("{} sending PUBLISH (q{}, r{}, '{}', ... ({} bytes))",
                            client_text(options_.client), qos, options_.retain ? 1 : 0,
                            options_.topic, payload.size()));
    ++under_way_;
    client_.async_publish({.topic = options_.topic,
                           .payload = std::move(payload),
                           .guarantee = static_cast<model::Guarantee>(qos),
                           .retain = options_.retain},
                          [this](client::error_code error) {
                            --under_way_;
                            if (loop_.ending()) return;
                            if (error) return loop_.fail(explain(error, options_.client));
                            end_when_over();
                            read_line();
                          });
  }

  void end_when_over() {
    if (input_ended_ && under_way_ == 0) loop_.end(0);
  }

  const PubOptions& options_;
  CommandLoop loop_;
  LineSource lines_;
  client::MqttClient client_;
  int under_way_ = 0;
  bool reading_ = false;
  bool input_ended_ = false;
};

}  // namespace

int run_pub_mqtt(const PubOptions& options, const std::string& payload) {
  return MqttPub(options).run(payload);
}

}  // namespace hermod::app
