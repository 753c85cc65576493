// SPDX-License-Identifier: Apache-2.0
// A question to a group (RFC 7252 §8): every server answers at its leisure, and who has more to say
// than fits in its answer is asked alone.
#include "commands/coap_search.hpp"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "commands/coap_printer.hpp"
#include "commands/command_loop.hpp"
#include "commands/exit_code.hpp"
#include "commands/explain.hpp"
#include "hermod/client/coap_client.hpp"
#include "hermod/client/coap_group.hpp"

namespace hermod::app {
namespace {

using client::CoapGroupAnswer;
using client::CoapResponse;
using client::error_code;

// DEFAULT_LEISURE (RFC 7252 §4.8) and a second for the way.
constexpr std::chrono::nanoseconds kWait = std::chrono::seconds{6};

class CoapSearch {
 public:
  explicit CoapSearch(const CoapCommandOptions& options)
      : options_(options),
        loop_(options.client),
        printer_(options),
        group_(loop_.io().get_executor(), {.host = options.client.host,
                                           .interface = options.interface,
                                           .port = options.client.port,
                                           .local_port = options.local_port}) {}

  int run() {
    printer_.asked();
    if (const error_code error = group_.ask(options_.request)) {
      loop_.fail(explain(error, options_.client));
    } else {
      const std::chrono::duration<double> wanted{options_.wait_s};
      end_.expires_after(options_.wait_s > 0
                             ? std::chrono::duration_cast<std::chrono::nanoseconds>(wanted)
                             : kWait);
      end_.async_wait([this](error_code failed) {
        if (!failed && !loop_.ending()) finish();
      });
      receive();
    }
    return loop_.run([this] {
      end_.cancel();
      group_.close();
      servers_.clear();
      loop_.stop();
    });
  }

 private:
  void receive() {
    group_.async_receive([this](error_code error, const CoapGroupAnswer& answer) {
      if (error || loop_.ending()) return;
      ++answers_;
      if (answer.whole) {
        print(answer.response, coap::Uri{.host = answer.host, .port = answer.port});
      } else {
        ask_alone(answer);
      }
      if (!loop_.ending()) receive();
    });
  }

  void ask_alone(const CoapGroupAnswer& answer) {
    const coap::Uri from{.host = answer.host, .port = answer.port};
    auto& server = *servers_.emplace_back(std::make_unique<client::CoapClient>(
        loop_.io().get_executor(), client::CoapOptions{.host = answer.host, .port = answer.port}));
    server.async_connect([this, &server, from](error_code error) {
      if (error || loop_.ending()) return;
      server.async_request(options_.request,
                           [this, from](error_code failed, const CoapResponse& response) {
                             if (!failed && !loop_.ending()) print(response, from);
                           });
    });
  }

  void print(const CoapResponse& response, const coap::Uri& from) {
    std::string server = coap::to_string(from);
    server.pop_back();  // the slash
    const auto printed = printer_.print({.code = response.code,
                                         .payload = response.payload,
                                         .format = response.content_format,
                                         .options = response.options,
                                         .round_trip_ms = {},
                                         .server = server},
                                        !response.code.is_success());
    if (!printed) loop_.fail(printed.error());
  }

  void finish() {
    if (answers_ > 0) return loop_.end(kExitOk);
    loop_.fail(fmt::format("No server of the group {} has answered. A broker answers where "
                           "coap_multicast is on, and multicast reaches it through routers only "
                           "where they let it; --interface NAME says which way to ask.",
                           peer_text(options_.client)),
               kExitTimeout);
  }

  const CoapCommandOptions& options_;
  CommandLoop loop_;
  CoapPrinter printer_;
  client::CoapGroup group_;
  std::vector<std::unique_ptr<client::CoapClient>> servers_;  // that are asked alone
  boost::asio::steady_timer end_{loop_.io()};
  std::size_t answers_ = 0;
};

}  // namespace

int run_coap_search(const CoapCommandOptions& options) {
  return CoapSearch(options).run();
}

}  // namespace hermod::app
