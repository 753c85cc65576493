// SPDX-License-Identifier: Apache-2.0
// A CoAP client on Boost.Asio: requests to one server over UDP, with retransmission, and
// observations (RFC 7252, RFC 7641). It runs on the caller's executor and is made of the same codec
// and session as the broker. It knows no broker and no command line.
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
  coap::ClientSettings session;  ///< timeouts, limits
};

/// The path of a resource, segment by segment, not percent-encoded.
using CoapPath = std::vector<std::string>;

/// What goes with a PUT.
struct CoapPut {
  std::string payload;
  std::string content_type;  ///< empty: none is said
  bool confirmable = true;
};

struct CoapResponse {
  coap::Code code;  ///< kEmpty when none came
  std::string payload;
  std::string content_type;  ///< empty: none was said
};

/// A value of an observed resource.
struct CoapNotification {
  std::string topic;  ///< the topic of the path, or the path where it is none
  std::string payload;
  std::string content_type;
  bool confirmable = false;
  bool first = false;  ///< the value that the resource had when the observation began
};

/// Names an observation for async_cancel; unique within a client.
using CoapObservation = std::uint64_t;

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

  /// Ends an observation. void(error_code).
  template <boost::asio::completion_token_for<void(error_code)> Token>
  auto async_cancel(CoapObservation observation, Token&& token) {
    return initiate<void(error_code)>(&CoapClient::cancel, token, observation);
  }

  /// The next value of what is observed. While nobody receives, the oldest values are forgotten: an
  /// observation promises the latest value, not every one. An error means that an observation has
  /// ended by the server's will, or that the client was closed. One call at a time.
  /// void(error_code, CoapNotification).
  template <boost::asio::completion_token_for<void(error_code, CoapNotification)> Token>
  auto async_receive(Token&& token) {
    return initiate<void(error_code, CoapNotification)>(&CoapClient::receive, token);
  }

  /// Forgets everything; operations complete with Error::kClosed. A server learns of it when it
  /// notifies the next time: end observations with async_cancel.
  void close();

 private:
  void connect(Handler<void(error_code)> handler);
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
