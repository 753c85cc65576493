// SPDX-License-Identifier: Apache-2.0
// Whose response a response is (RFC 7252 §5.3.2): what the session cannot see, because it has one
// peer. Names: tests/conformance/rfc7252.txt.
#include <gtest/gtest.h>

#include "hermod/client/coap_client.hpp"
#include "scripted_server.hpp"

namespace hermod::client {
namespace {

using asio::ip::udp;

// A 2.05 that answers `request`, whose token has 8 octets: same message id, same token.
std::string response_to(const std::string& request, std::string_view payload) {
  return octets("68 45") + request.substr(2, 10) + '\xff' + std::string{payload};
}

//   GET ->  server
//           stranger:  ACK 2.05 "wrong", with the right message id and token, is sent first
//       <-  ACK 2.05 "right"
TEST(Rfc7252Source, RFC7252_5_3_2_1_a_response_from_elsewhere_is_none) {
  asio::io_context io;
  udp::socket server(io, {asio::ip::address_v4::loopback(), 0});
  udp::socket stranger(io, {asio::ip::address_v4::loopback(), 0});
  std::array<char, 1500> room{};
  udp::endpoint from;
  server.async_receive_from(asio::buffer(room), from,
                            [&](boost::system::error_code error, std::size_t count) {
                              ASSERT_FALSE(error);
                              const std::string request(room.data(), count);
                              ASSERT_GE(request.size(), 12u);
                              stranger.send_to(asio::buffer(response_to(request, "wrong")), from);
                              server.send_to(asio::buffer(response_to(request, "right")), from);
                            });
  CoapClient client(io.get_executor(),
                    {.host = "127.0.0.1", .port = server.local_endpoint().port()});
  std::string payload;
  client.async_connect([&](error_code error) {
    ASSERT_FALSE(error) << error.message();
    client.async_get({"a"}, [&](error_code failure, const CoapResponse& response) {
      EXPECT_FALSE(failure) << failure.message();
      payload = response.payload;
      client.close();
    });
  });
  run(io);
  EXPECT_EQ(payload, "right");
}

}  // namespace
}  // namespace hermod::client
