// SPDX-License-Identifier: Apache-2.0
// CoAP: requests with options and answers with theirs. Puts a value as JSON, gets it, and asks by
// its ETag whether it is still valid.
//
//   example_coap_request PORT TOPIC VALUE
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>
#include <iostream>

#include "hermod/client/coap_client.hpp"

namespace {

using namespace hermod::client;
using boost::asio::as_tuple;
using boost::asio::use_awaitable;

boost::asio::awaitable<void> put_and_validate(std::uint16_t port, std::string topic,
                                              std::string value) {
  const CoapPath path = hermod::coap::path_of_topic(topic);
  const auto executor = co_await boost::asio::this_coro::executor;
  CoapClient client(executor, {.host = "localhost", .port = port});
  co_await client.async_connect(use_awaitable);
  CoapRequest request{.method = hermod::coap::code::kPut,
                      .path = path,
                      .payload = value,
                      .content_format = hermod::coap::ContentFormat::kJson};
  const auto [failed, response] = co_await client.async_request(request, as_tuple(use_awaitable));
  if (failed) {
    std::cout << hermod::coap::to_string(response.code) << ": " << failed.message() << "\n";
    co_return;
  }
  std::cout << hermod::coap::to_string(response.code) << "\n";

  CoapRequest get{.path = path};
  const CoapResponse got = co_await client.async_request(get, use_awaitable);
  std::cout << got.payload << " " << got.content_type << "\n";
  get.etags = {got.etag};
  const CoapResponse again = co_await client.async_request(get, use_awaitable);
  const bool valid = again.code == hermod::coap::code::kValid;
  std::cout << (valid ? "still valid" : again.payload) << "\n";
  client.close();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: example_coap_request PORT TOPIC VALUE\n";
    return 2;
  }
  boost::asio::io_context io;
  int status = 0;
  boost::asio::co_spawn(
      io, put_and_validate(static_cast<std::uint16_t>(std::atoi(argv[1])), argv[2], argv[3]),
      [&](const std::exception_ptr& failed) {
        if (failed) std::cerr << "failed\n";
        status = failed ? 1 : 0;
      });
  io.run();
  return status;
}
