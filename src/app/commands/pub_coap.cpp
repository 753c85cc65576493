// SPDX-License-Identifier: Apache-2.0
// Publishing over CoAP: a PUT on the topic's resource, or a DELETE for an empty message.
#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "commands/command_loop.hpp"
#include "commands/explain.hpp"
#include "commands/line_source.hpp"
#include "commands/pub.hpp"
#include "hermod/client/coap_client.hpp"

namespace hermod::app {
namespace {

constexpr std::size_t kLineBytesMax = 65'536;  // more than a datagram holds

class CoapPub {
 public:
  explicit CoapPub(const PubOptions& options)
      : options_(options),
        loop_(options.client),
        lines_(loop_.io(), STDIN_FILENO, kLineBytesMax),
        client_(loop_.io().get_executor(),
                {.host = options.client.host, .port = options.client.port}) {}

  int run(const std::string& payload) {
    client_.async_connect([this, payload](client::error_code error) {
      if (loop_.ending()) return;
      if (error) return loop_.fail(explain(error, options_.client));
      if (options_.lines) return read_line();
      publish(payload);
    });
    return loop_.run([this] { loop_.stop(); });
  }

 private:
  void read_line() {
    lines_.next([this](client::error_code error, std::optional<std::string> line) {
      if (loop_.ending()) return;
      if (error) return loop_.fail(fmt::format("Cannot read the input: {}.", error.message()));
      if (!line) return loop_.end(0);
      publish(std::move(*line));
    });
  }

  void publish(std::string payload) {
    const client::CoapPath path = coap::path_of_topic(options_.topic);
    const auto done = [this](client::error_code error, const client::CoapResponse& response) {
      if (loop_.ending()) return;
      on_response(error, response);
    };
    if (payload.empty()) {
      loop_.debug(fmt::format("sending DELETE ('{}')", options_.topic));
      return client_.async_delete(path, done);
    }
    const bool confirmable = options_.client.qos != 0;  // unless -q 0 is said
    loop_.debug(fmt::format("sending {} PUT ('{}', ... ({} bytes))", confirmable ? "CON" : "NON",
                            options_.topic, payload.size()));
    client_.async_put(path, {.payload = std::move(payload), .confirmable = confirmable}, done);
  }

  void on_response(client::error_code error, const client::CoapResponse& response) {
    if (!response.code.is_empty()) {
      loop_.debug(fmt::format("received {}", coap::to_string(response.code)));
    }
    if (error == client::Error::kTooLarge) {
      return loop_.fail(
          "The message is too large for CoAP: it has more than 8 MiB. Use an mqtt:// URL.");
    }
    if (error && !response.code.is_empty()) {
      return loop_.fail(fmt::format("{} answered {}{}{}.", peer_text(options_.client),
                                    coap::to_string(response.code),
                                    response.payload.empty() ? "" : ": ", response.payload));
    }
    if (error) return loop_.fail(explain(error, options_.client));
    if (options_.lines) return read_line();
    loop_.end(0);
  }

  const PubOptions& options_;
  CommandLoop loop_;
  LineSource lines_;
  client::CoapClient client_;
};

}  // namespace

int run_pub_coap(const PubOptions& options, const std::string& payload) {
  return CoapPub(options).run(payload);
}

}  // namespace hermod::app
