// SPDX-License-Identifier: Apache-2.0
// A question to all CoAP servers of a multicast group (RFC 7252 §8), to find those that are there.
// Each answers from its own address, at a time of its own, or not at all.
//
//   CoapGroup group(io.get_executor(), {.host = "224.0.1.187"});
//   group.ask({.path = {".well-known", "core"}, .query = {"rt=core.ps"}});
//   group.async_receive([&](error_code error, CoapGroupAnswer answer) { ... });   // again and
//   again
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "hermod/client/coap_client.hpp"
#include "hermod/client/error.hpp"
#include "hermod/client/handler.hpp"

namespace hermod::client {

struct CoapGroupOptions {
  std::string host;              ///< a multicast address
  std::string interface;         ///< by which the question leaves; empty: the system chooses
  std::uint16_t port = 5683;     ///< that the servers listen on
  std::uint16_t local_port = 0;  ///< 0: any
};

struct CoapGroupAnswer {
  std::string host;  ///< who has answered; an address, with "%INTERFACE" where it needs one
  std::uint16_t port = 0;
  CoapResponse response;
  bool whole = true;  ///< false: the first block, the server itself has the others (RFC 7959 §2.8)
};

/// One question. Like CoapClient it belongs to one thread or strand.
class CoapGroup {
 public:
  using executor_type = boost::asio::any_io_executor;

  CoapGroup(executor_type executor, CoapGroupOptions options);
  ~CoapGroup();
  CoapGroup(CoapGroup&&) noexcept;
  CoapGroup& operator=(CoapGroup&&) noexcept;

  /// Sends a GET, Non-confirmable as it must be (RFC 7252 §8.1): its path, query and accept count,
  /// the rest of `request` does not. Once; again it is Error::kAlreadyConnected.
  [[nodiscard]] error_code ask(const CoapRequest& request);

  /// The next answer. Repetitions are left out. Completes with Error::kClosed when the question is
  /// over; there is no other end. At most 1,024 answers wait, newer ones are lost. One call at a
  /// time. void(error_code, CoapGroupAnswer).
  template <boost::asio::completion_token_for<void(error_code, CoapGroupAnswer)> Token>
  auto async_receive(Token&& token) {
    return boost::asio::async_initiate<Token, void(error_code, CoapGroupAnswer)>(
        [this](auto handler) { receive({std::move(handler), get_executor()}); }, token);
  }

  [[nodiscard]] executor_type get_executor() const;
  void close();

 private:
  class Question;
  void receive(Handler<void(error_code, CoapGroupAnswer)> handler);

  std::shared_ptr<Question> question_;
};

}  // namespace hermod::client
