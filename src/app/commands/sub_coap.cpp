// SPDX-License-Identifier: Apache-2.0
// Subscribing over CoAP: an observation for each topic (RFC 7641).
#include <fmt/format.h>

#include <utility>

#include "commands/command_loop.hpp"
#include "commands/exit_code.hpp"
#include "commands/explain.hpp"
#include "commands/message_sink.hpp"
#include "commands/sub.hpp"
#include "hermod/client/coap_client.hpp"

namespace hermod::app {
namespace {

class CoapSub {
 public:
  CoapSub(const SubOptions& options, MessageFormat format)
      : options_(options),
        loop_(options.client),
        sink_(options, std::move(format), loop_),
        client_(loop_.io().get_executor(),
                {.host = options.client.host, .port = options.client.port}) {}

  int run() {
    client_.async_connect([this](client::error_code error) {
      if (loop_.ending()) return;
      if (error) return loop_.fail(explain(error, options_.client));
      for (const std::string& topic : options_.topics) observe(topic);
      receive();
    });
    return loop_.run([this] { cancel(); });
  }

 private:
  void observe(const std::string& topic) {
    loop_.debug(fmt::format("sending GET with Observe ('{}')", topic));
    client_.async_observe(
        coap::path_of_topic(topic),
        [this, &topic](client::error_code error, client::CoapObservation observation) {
          if (!error) observations_.push_back(observation);
          if (loop_.ending()) return;
          if (error) return loop_.fail(refusal(topic, error));
          loop_.debug(fmt::format("Observing '{}'", topic));
          const bool all = observations_.size() == options_.topics.size();
          if (all && options_.exit_after_subscribing) loop_.end(kExitOk);
        });
  }

  [[nodiscard]] std::string refusal(const std::string& topic, client::error_code error) const {
    if (error == client::Error::kNotFound || error == client::Error::kBadRequest) {
      return fmt::format("{} does not observe \"{}\": {}.", peer_text(options_.client), topic,
                         error.message());
    }
    return explain(error, options_.client);
  }

  void receive() {
    client_.async_receive([this](client::error_code error, const client::CoapNotification& value) {
      if (loop_.ending()) return;
      if (error) return loop_.fail(explain(error, options_.client));
      loop_.debug(fmt::format("received {} '{}', ... ({} bytes)",
                              value.first ? "the value of" : "notification of", value.topic,
                              value.payload.size()));
      sink_.take({.topic = value.topic,
                  .payload = as_bytes(value.payload),
                  .qos = static_cast<std::uint8_t>(value.confirmable ? 1 : 0),
                  .retain = value.first});
      if (!loop_.ending()) receive();
    });
  }

  /// Ends the observations, so that the server does not have to find out (RFC 7641 §3.6). What does
  /// not answer within a moment is left to that.
  void cancel() {
    cancelling_ = observations_.size();
    if (cancelling_ == 0) return loop_.stop();
    goodbye_.expires_after(std::chrono::seconds(1));
    goodbye_.async_wait([this](client::error_code) { loop_.stop(); });
    for (const client::CoapObservation observation : observations_) {
      client_.async_cancel(observation, [this](client::error_code) {
        if (--cancelling_ == 0) loop_.stop();
      });
    }
  }

  const SubOptions& options_;
  CommandLoop loop_;
  MessageSink sink_;
  client::CoapClient client_;
  boost::asio::steady_timer goodbye_{loop_.io()};
  std::vector<client::CoapObservation> observations_;
  std::size_t cancelling_ = 0;
};

}  // namespace

int run_sub_coap(const SubOptions& options, MessageFormat format) {
  return CoapSub(options, std::move(format)).run();
}

}  // namespace hermod::app
