// SPDX-License-Identifier: Apache-2.0
// One request and its answer; the pages of a discovery; or an observation until its end.
#include "commands/coap_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "commands/coap_printer.hpp"
#include "commands/coap_search.hpp"
#include "commands/command_loop.hpp"
#include "commands/exit_code.hpp"
#include "commands/explain.hpp"
#include "commands/pub.hpp"
#include "hermod/client/coap_client.hpp"

namespace hermod::app {
namespace {

using client::CoapNotification;
using client::CoapResponse;
using client::Error;
using client::error_code;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kPagesMax = 1000;  // of a discovery: a list without end

std::chrono::nanoseconds seconds(double count) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(count));
}

CoapPrintable printable(const CoapResponse& response, double ms) {
  return {.code = response.code,
          .payload = response.payload,
          .format = response.content_format,
          .options = response.options,
          .round_trip_ms = ms};
}

class CoapCommand {
 public:
  CoapCommand(const CoapCommandOptions& options, client::CoapRequest request)
      : options_(options),
        request_(std::move(request)),
        loop_(options.client),
        printer_(options),
        client_(loop_.io().get_executor(), {.host = options.client.host,
                                            .port = options.client.port,
                                            .local_port = options.local_port}) {}

  int run() {
    if (options_.wait_s > 0) {
      patience_.expires_after(seconds(options_.wait_s));
      patience_.async_wait([this](error_code failed) {
        if (!failed && !loop_.ending()) loop_.fail(silent(), kExitTimeout);
      });
    }
    client_.async_connect([this](error_code error) {
      if (loop_.ending()) return;
      if (error) return loop_.fail(explain(error, options_.client));
      if (options_.verb == CoapVerb::kObserve) return observe();
      request();
    });
    return loop_.run([this] { leave(); });
  }

 private:
  // --- requests ---

  void request() {
    printer_.asked();
    asked_ = Clock::now();
    client_.async_request(request_, [this](error_code error, const CoapResponse& response) {
      if (loop_.ending()) return;
      if (!answered(error, response)) return;
      if (options_.verb == CoapVerb::kDiscover) return next(response);
      loop_.end(kExitOk);
    });
  }

  /// Prints a response. False when it was the end.
  bool answered(error_code error, const CoapResponse& response) {
    if (response.code.is_empty()) {
      if (!error) return true;  // No-Response: there is nothing to print
      loop_.fail(reason(error), status_of(error));
      return false;
    }
    const double ms = std::chrono::duration<double, std::milli>(Clock::now() - asked_).count();
    const bool failed = !response.code.is_success();
    if (const auto printed = printer_.print(printable(response, ms), failed); !printed) {
      loop_.fail(printed.error());
      return false;
    }
    if (failed) fail(response.code, response.payload, response.retry_after_s);
    if (!failed && error) loop_.fail(reason(error), status_of(error));
    return !loop_.ending();
  }

  void fail(coap::Code code, std::string_view payload, std::optional<std::uint32_t> retry_after_s) {
    std::string text = fmt::format("{} answered {}", peer_text(options_.client), code_text(code));
    if (!payload.empty() && payload != code_name(code)) text += fmt::format(": {}", payload);
    if (!text.ends_with('.')) text += '.';
    if (retry_after_s) text += fmt::format(" Try again in {} s.", *retry_after_s);
    if (const std::string_view advice = advice_for(code); !advice.empty()) {
      text += fmt::format(" {}", advice);
    }
    loop_.fail(text, code.code_class() == 5 ? kExitServer : kExitRequest);
  }

  static std::string_view advice_for(coap::Code code) {
    if (code == coap::code::kNotFound) {
      return "`hermod discover` lists what the server has.";
    }
    if (code == coap::code::kMethodNotAllowed) return "The resource takes other methods.";
    if (code == coap::code::kNotAcceptable) return "Leave out -A, or give another format.";
    if (code == coap::code::kUnsupportedContentFormat) return "Give another format with -t.";
    if (code == coap::code::kPreconditionFailed) return "The resource is not as asked for.";
    return {};
  }

  /// The next page of a list of links.
  void next(const CoapResponse& response) {
    const std::string target = next_page(response.payload);
    if (target.empty()) return loop_.end(kExitOk);
    if (!pages_.insert(target).second || pages_.size() > kPagesMax) {
      return loop_.fail(
          "The server's list does not end: its links to the next page go in circles.");
    }
    // a reference within this server (RFC 6690 §2.1)
    const auto uri =
        coap::parse_uri(target.find("://") != std::string::npos ? target : "coap://host" + target);
    if (!uri || !target.starts_with('/')) {
      return loop_.fail(
          fmt::format("The next page of the list is \"{}\", which is not a path of "
                      "this server.",
                      target));
    }
    request_.path = uri->path;
    request_.query = uri->query;
    request();
  }

  // --- observing ---

  void observe() {
    printer_.asked();
    asked_ = Clock::now();
    client_.async_observe(request_, [this](error_code error, const CoapResponse& response) {
      if (loop_.ending()) return;
      if (error && response.code.is_success()) {
        if (!answered({}, response)) return;
        return loop_.fail(fmt::format("{} gives a value, but does not let it be observed.",
                                      peer_text(options_.client)));
      }
      if (error && !answered(error, response)) return;
      observation_ = response.observation;
      patience_.cancel();
      if (options_.observe_s > 0) {
        end_.expires_after(seconds(options_.observe_s));
        end_.async_wait([this](error_code failed) {
          if (!failed) loop_.end(kExitOk);
        });
      }
      receive();
      ping_later();
    });
  }

  void receive() {
    client_.async_receive([this](error_code error, const CoapNotification& value) {
      if (loop_.ending()) return;
      const bool failed = !value.code.is_success();
      if (error && value.code.is_empty()) {
        observation_ = 0;
        return loop_.fail(reason(error), status_of(error));
      }
      const auto printed = printer_.print({.code = value.code,
                                           .payload = value.payload,
                                           .format = value.content_format,
                                           .options = value.options,
                                           .round_trip_ms = {}},
                                          failed);
      if (!printed) return loop_.fail(printed.error());
      if (failed) {  // RFC 7641 §3.2
        observation_ = 0;
        return fail(value.code, value.payload, {});
      }
      if (options_.count && ++seen_ >= *options_.count) return loop_.end(kExitOk);
      ping_later();
      receive();
    });
  }

  /// -K: asks whether the server is still there when nothing has come for a while.
  void ping_later() {
    if (options_.ping_s <= 0) return;
    quiet_.expires_after(seconds(options_.ping_s));
    quiet_.async_wait([this](error_code cancelled) {
      if (cancelled || loop_.ending()) return;
      client_.async_ping([this](error_code error) {
        if (loop_.ending()) return;
        if (error) return loop_.fail(reason(error), status_of(error));
        ping_later();
      });
    });
  }

  /// Ends the observation, so that the server does not have to find out (RFC 7641 §3.6).
  void leave() {
    patience_.cancel();
    end_.cancel();
    quiet_.cancel();
    if (observation_ == 0) return loop_.stop();
    goodbye_.expires_after(std::chrono::seconds(1));
    goodbye_.async_wait([this](error_code) { loop_.stop(); });
    client_.async_cancel(observation_, [this](error_code) { loop_.stop(); });
  }

  // --- errors ---

  [[nodiscard]] std::string silent() const {
    return fmt::format(
        "{} does not answer. Check host and port, whether a server for CoAP runs there, and "
        "whether "
        "a firewall is between.",
        peer_text(options_.client));
  }

  [[nodiscard]] std::string reason(error_code error) const {
    const std::string peer = peer_text(options_.client);
    if (error == Error::kTimeout) return silent();
    if (error == Error::kClosedByServer) {
      return fmt::format(
          "{} answered with a Reset: it did not understand the request, or has restarted.", peer);
    }
    if (error == Error::kTooLarge) {
      return "The body is too large: it has more than 8 MiB, or the options do not fit in a "
             "datagram.";
    }
    if (error == Error::kServerUnavailable) {
      return fmt::format(
          "{} changes the resource faster than it can be read in blocks. Try again, "
          "with larger blocks (-b).",
          peer);
    }
    if (error == Error::kProtocolViolation) {
      return fmt::format("{} answered with blocks that do not fit together.", peer);
    }
    return explain(error, options_.client);
  }

  static int status_of(error_code error) {
    if (error == Error::kTimeout) return kExitTimeout;
    if (error == Error::kClosedByServer) return kExitReset;
    return kExitError;
  }

  const CoapCommandOptions& options_;
  client::CoapRequest request_;
  CommandLoop loop_;
  CoapPrinter printer_;
  client::CoapClient client_;
  boost::asio::steady_timer patience_{loop_.io()};
  boost::asio::steady_timer end_{loop_.io()};
  boost::asio::steady_timer quiet_{loop_.io()};
  boost::asio::steady_timer goodbye_{loop_.io()};
  Clock::time_point asked_;
  client::CoapObservation observation_ = 0;
  std::uint64_t seen_ = 0;
  std::set<std::string> pages_;
};

}  // namespace

int run_coap(const CoapCommandOptions& options) {
  if (options.group) return run_coap_search(options);
  client::CoapRequest request = options.request;
  if (options.file) {
    PubOptions input{.client = options.client};
    if (*options.file == "-") {
      input.whole_input = true;
    } else {
      input.file = *options.file;
    }
    auto payload = payload_of(input);
    if (!payload) {
      if (!options.client.quiet) {
        fmt::print(stderr, "{}\n", options.client.program.error_line(payload.error()));
      }
      return kExitError;
    }
    request.payload = std::move(*payload);
  }
  return CoapCommand(options, std::move(request)).run();
}

}  // namespace hermod::app
