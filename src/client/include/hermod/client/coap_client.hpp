// SPDX-License-Identifier: Apache-2.0
// A CoAP client on Boost.Asio: requests to one server over UDP, with retransmission and bodies in
// blocks, and observations (RFC 7252, RFC 7641, RFC 7959). It runs on the caller's executor and is
// made of the same codec and session as the broker. It knows no broker and no command line.
//
//   boost::asio::io_context io;
//   hermod::client::CoapClient client(io.get_executor(), {.host = "localhost"});
//   client.async_connect([&](auto error) {
//     if (error) return report(error.message());
//     client.async_put(hermod::coap::path_of_topic("Temperature/Kitchen"), {.payload = "34.5"},
//                      [&](auto, auto response) { client.close(); });
//   });
//   io.run();
//
// Every operation takes a completion token, as with MqttClient, and the same rules hold. A request
// that the server answers with an error completes with an error code and the response.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hermod/client/error.hpp"
#include "hermod/client/handler.hpp"
#include "hermod/coap/codec/message.hpp"
#include "hermod/coap/session/client_session.hpp"
#include "hermod/coap/session/resources.hpp"

namespace hermod::client {

struct CoapOptions {
  std::string host = "localhost";  ///< name or literal address
  std::uint16_t port = 5683;
  std::uint16_t local_port = 0;  ///< the own port; 0: any
  coap::ClientSettings session;  ///< timeouts, limits, size of blocks
};

/// The path of a resource, segment by segment, not percent-encoded.
using CoapPath = std::vector<std::string>;

/// What goes with a PUT.
struct CoapPut {
  std::string payload;
  std::string content_type;  ///< empty: none is said
  bool confirmable = true;
};

/// Names an observation for async_cancel; unique within a client.
using CoapObservation = std::uint64_t;

/// An option as it stands on the wire.
struct CoapOption {
  std::uint16_t number = 0;
  std::string value;
};

/// Any request. What has no member of its own goes into `options`.
struct CoapRequest {
  coap::Code method = coap::code::kGet;
  CoapPath path;
  std::vector<std::string> query;  ///< Uri-Query, argument by argument
  std::string payload;             ///< sent in blocks when it is larger than one (RFC 7959)
  std::optional<coap::ContentFormat> content_format;
  std::optional<coap::ContentFormat> accept;
  std::vector<std::string> if_match;  ///< entity tags; an empty one: if it exists at all
  bool if_none_match = false;
  std::vector<std::string> etags;  ///< of representations that are here: 2.03 says "still valid"
  std::string uri_host;            ///< empty: none
  std::string proxy_uri;           ///< empty: none; path, query and uri_host are then empty
  std::optional<std::uint8_t> hop_limit;    ///< RFC 8768
  std::optional<std::uint8_t> no_response;  ///< RFC 7967: sum of coap::kNoSuccess and its like
  std::vector<CoapOption> options;          ///< any others
  std::optional<coap::Block> block;  ///< size of blocks both ways, first block of the response
  std::optional<std::string> token;  ///< of the first message; nothing: random
  bool confirmable = true;
};

struct CoapResponse {
  coap::Code code;  ///< kEmpty when none came
  std::string payload;
  std::string content_type;  ///< empty: none was said
  std::optional<coap::ContentFormat> content_format;
  std::string etag;  ///< empty: none
  std::vector<std::string> location_path;
  std::vector<std::string> location_query;
  std::optional<std::uint32_t> max_age_s;
  /// With 4.29 and 5.03: when it may go better (RFC 8516 §3, RFC 7252 §5.9.3.4). Nothing is tried
  /// again by itself.
  std::optional<std::uint32_t> retry_after_s;
  std::optional<std::uint32_t> observe;  ///< sequence number of a registration
  std::optional<std::uint32_t> size1;    ///< with 4.13: the largest body that the server takes
  std::optional<std::uint32_t> size2;
  std::vector<CoapOption> options;  ///< all, those above too; of the first block
  CoapObservation observation = 0;  ///< of async_observe; 0: nothing is observed
};

/// A value of an observed resource.
struct CoapNotification {
  std::string topic;  ///< the topic of the path, or the path where it is none
  std::string payload;
  std::string content_type;
  bool confirmable = false;
  bool first = false;  ///< the value that the resource had when the observation began
  coap::Code code = coap::code::kContent;  ///< an error when the server has ended the observation
  std::optional<coap::ContentFormat> content_format;
  std::string etag;
  std::optional<std::uint32_t> max_age_s;
  std::optional<std::uint32_t> observe;  ///< sequence number
  std::vector<CoapOption> options;       ///< all, those above too; of the first block
  CoapObservation observation = 0;
};

class CoapConnection;

class CoapClient {
 public:
  using executor_type = boost::asio::any_io_executor;

  CoapClient(executor_type executor, CoapOptions options);
  ~CoapClient();
  CoapClient(CoapClient&&) noexcept;
  CoapClient& operator=(CoapClient&&) noexcept;

  [[nodiscard]] executor_type get_executor() const;

  /// Resolves the host and opens a socket; nothing is sent. void(error_code).
  template <boost::asio::completion_token_for<void(error_code)> Token>
  auto async_connect(Token&& token) {
    return initiate<void(error_code)>(&CoapClient::connect, token);
  }

  /// Any request. Bodies that need several messages are sent and put together before it completes;
  /// one above the limit of the settings completes with Error::kTooLarge. With No-Response it may
  /// complete without error and without a response (coap::ClientSession::request).
  /// void(error_code, CoapResponse).
  template <boost::asio::completion_token_for<void(error_code, CoapResponse)> Token>
  auto async_request(CoapRequest request, Token&& token) {
    return initiate<void(error_code, CoapResponse)>(&CoapClient::request, token,
                                                    std::move(request));
  }

  /// The value of a resource. void(error_code, CoapResponse).
  template <boost::asio::completion_token_for<void(error_code, CoapResponse)> Token>
  auto async_get(CoapPath path, Token&& token) {
    return initiate<void(error_code, CoapResponse)>(&CoapClient::get, token, std::move(path));
  }

  /// Sets the value of a resource. void(error_code, CoapResponse).
  template <boost::asio::completion_token_for<void(error_code, CoapResponse)> Token>
  auto async_put(CoapPath path, CoapPut value, Token&& token) {
    return initiate<void(error_code, CoapResponse)>(&CoapClient::put, token, std::move(path),
                                                    std::move(value));
  }

  /// Removes the value of a resource. void(error_code, CoapResponse).
  template <boost::asio::completion_token_for<void(error_code, CoapResponse)> Token>
  auto async_delete(CoapPath path, Token&& token) {
    return initiate<void(error_code, CoapResponse)>(&CoapClient::remove, token, std::move(path));
  }

  /// Observes a resource. Completes when the server has registered the observation, or with the
  /// error that it gave; the values come through async_receive. void(error_code, CoapObservation).
  template <boost::asio::completion_token_for<void(error_code, CoapObservation)> Token>
  auto async_observe(CoapPath path, Token&& token) {
    return initiate<void(error_code, CoapObservation)>(&CoapClient::observe, token,
                                                       std::move(path));
  }

  /// Observes by any request, GET or FETCH. Completes with the response that began the observation,
  /// which `observation` names, or with an error and the server's answer; Error::kBadRequest with
  /// 2.05: it has a value, but does not observe. void(error_code, CoapResponse).
  template <boost::asio::completion_token_for<void(error_code, CoapResponse)> Token>
  auto async_observe(CoapRequest request, Token&& token) {
    return initiate<void(error_code, CoapResponse)>(&CoapClient::observe_by, token,
                                                    std::move(request));
  }

  /// Asks whether the server is there, by an Empty message that it answers with a Reset
  /// (RFC 7252 §4.3). void(error_code).
  template <boost::asio::completion_token_for<void(error_code)> Token>
  auto async_ping(Token&& token) {
    return initiate<void(error_code)>(&CoapClient::ping, token);
  }

  /// Ends an observation. void(error_code).
  template <boost::asio::completion_token_for<void(error_code)> Token>
  auto async_cancel(CoapObservation observation, Token&& token) {
    return initiate<void(error_code)>(&CoapClient::cancel, token, observation);
  }

  /// The next value of what is observed. While nobody receives, the oldest values are forgotten: an
  /// observation promises the latest value, not every one. An error means that an observation has
  /// ended by the server's will, whose answer comes with it, or that the client was closed. One
  /// call at a time. void(error_code, CoapNotification).
  template <boost::asio::completion_token_for<void(error_code, CoapNotification)> Token>
  auto async_receive(Token&& token) {
    return initiate<void(error_code, CoapNotification)>(&CoapClient::receive, token);
  }

  /// Forgets everything; operations complete with Error::kClosed. A server learns of it when it
  /// notifies the next time: end observations with async_cancel.
  void close();

 private:
  void connect(Handler<void(error_code)> handler);
  void request(Handler<void(error_code, CoapResponse)> handler, CoapRequest request);
  void observe_by(Handler<void(error_code, CoapResponse)> handler, CoapRequest request);
  void ping(Handler<void(error_code)> handler);
  void get(Handler<void(error_code, CoapResponse)> handler, CoapPath path);
  void put(Handler<void(error_code, CoapResponse)> handler, CoapPath path, CoapPut value);
  void remove(Handler<void(error_code, CoapResponse)> handler, CoapPath path);
  void observe(Handler<void(error_code, CoapObservation)> handler, CoapPath path);
  void cancel(Handler<void(error_code)> handler, CoapObservation observation);
  void receive(Handler<void(error_code, CoapNotification)> handler);

  /// Makes a completion token the erased handler of one of the functions above.
  template <typename Signature, typename Function, typename Token, typename... Args>
  auto initiate(Function function, Token& token, Args&&... args) {
    return boost::asio::async_initiate<Token, Signature>(
        [this, function](auto handler, auto... rest) {
          (this->*function)(Handler<Signature>(std::move(handler), get_executor()),
                            std::move(rest)...);
        },
        token, std::forward<Args>(args)...);
  }

  std::shared_ptr<CoapConnection> connection_;
};

}  // namespace hermod::client
