// SPDX-License-Identifier: Apache-2.0
// The face of a client's exchanges with a server.
#include "hermod/client/coap_client.hpp"

#include <utility>

#include "coap_connection.hpp"

namespace hermod::client {

CoapClient::CoapClient(executor_type executor, CoapOptions options)
    : connection_(std::make_shared<CoapConnection>(std::move(executor), std::move(options))) {}

CoapClient::~CoapClient() {
  close();
}
CoapClient::CoapClient(CoapClient&&) noexcept = default;
CoapClient& CoapClient::operator=(CoapClient&& other) noexcept {
  if (this != &other) {
    close();
    connection_ = std::move(other.connection_);
  }
  return *this;
}

CoapClient::executor_type CoapClient::get_executor() const {
  return connection_->executor();
}

void CoapClient::close() {
  if (connection_ != nullptr) connection_->close();
}

namespace {

/// What a request says in the session's words, which borrow from it and from `options`.
coap::ClientRequest to_session(const CoapRequest& request, std::vector<coap::OptionView>& options) {
  for (const CoapOption& option : request.options) {
    options.push_back({coap::OptionNumber{option.number}, as_bytes(option.value)});
  }
  coap::ClientRequest out{.method = request.method,
                          .path = request.path,
                          .query = request.query,
                          .uri_host = request.uri_host,
                          .proxy_uri = request.proxy_uri,
                          .payload = as_bytes(request.payload),
                          .content_format = request.content_format,
                          .accept = request.accept,
                          .if_match = request.if_match,
                          .if_none_match = request.if_none_match,
                          .etags = request.etags,
                          .hop_limit = request.hop_limit,
                          .no_response = request.no_response,
                          .other_options = options,
                          .block = request.block,
                          .confirmable = request.confirmable};
  if (request.token) out.token = as_bytes(*request.token);
  return out;
}

}  // namespace

void CoapClient::connect(Handler<void(error_code)> handler) {
  connection_->connect(std::move(handler));
}
void CoapClient::request(Handler<void(error_code, CoapResponse)> handler, CoapRequest request) {
  std::vector<coap::OptionView> options;
  connection_->request(std::move(handler), to_session(request, options));
}
void CoapClient::observe_by(Handler<void(error_code, CoapResponse)> handler, CoapRequest request) {
  std::vector<coap::OptionView> options;
  coap::ClientRequest what = to_session(request, options);
  what.observe = true;
  connection_->request(std::move(handler), what);
}
void CoapClient::ping(Handler<void(error_code)> handler) {
  connection_->ping(std::move(handler));
}
void CoapClient::get(Handler<void(error_code, CoapResponse)> handler, CoapPath path) {
  connection_->request(std::move(handler), {.method = coap::code::kGet, .path = path});
}
void CoapClient::put(Handler<void(error_code, CoapResponse)> handler, CoapPath path,
                     CoapPut value) {
  connection_->request(std::move(handler), {.method = coap::code::kPut,
                                            .path = path,
                                            .payload = as_bytes(value.payload),
                                            .content_format = coap::format_of(value.content_type),
                                            .confirmable = value.confirmable});
}
void CoapClient::remove(Handler<void(error_code, CoapResponse)> handler, CoapPath path) {
  connection_->request(std::move(handler), {.method = coap::code::kDelete, .path = path});
}
void CoapClient::observe(Handler<void(error_code, CoapObservation)> handler, CoapPath path) {
  connection_->observe(std::move(handler), path);
}
void CoapClient::cancel(Handler<void(error_code)> handler, CoapObservation observation) {
  connection_->cancel(std::move(handler), observation);
}
void CoapClient::receive(Handler<void(error_code, CoapNotification)> handler) {
  connection_->receive(std::move(handler));
}

}  // namespace hermod::client
