// SPDX-License-Identifier: Apache-2.0
// The CoAP client against a server that answers as each test says. A message in hexadecimal:
//   version, type, token length | code | message id | token | options | ff payload
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hermod/client/coap_client.hpp"
#include "scripted_server.hpp"

namespace hermod::client {
namespace {

/// An acknowledgement with a response for `request`: same message id, same token.
std::string piggybacked(const std::string& request, std::string_view code_and_rest_hex) {
  const std::string rest = octets(code_and_rest_hex);
  return octets("68") + rest.substr(0, 1) + request.substr(2, 2) +
         request.substr(kHeaderSize, kTokenSize) + rest.substr(1);
}

/// A Non-confirmable response, such as a notification.
std::string notification(const std::string& request, std::uint8_t id, std::string_view hex) {
  const std::string rest = octets(hex);
  return octets("58") + rest.substr(0, 1) + std::string{'\0', static_cast<char>(id)} +
         request.substr(kHeaderSize, kTokenSize) + rest.substr(1);
}

/// Code, options and payload of a request: what does not change from run to run.
std::string essence(const std::string& request) {
  return request.substr(0, 2) + request.substr(kHeaderSize + kTokenSize);
}

class CoapClientTest : public testing::Test {
 protected:
  using Answer = ScriptedUdpServer::Answer;

  /// A client that is connected to a server which answers so.
  void start(Answer answer, std::function<void()> next) {
    server_.emplace(io_, std::move(answer));
    CoapOptions options{.host = "127.0.0.1", .port = server_->port()};
    options.session.transmission.ack_timeout = std::chrono::milliseconds(50);
    options.session.requests_max = 2;
    options.session.block_exponent = 0;  // 16 octets
    options.session.body_bytes_max = 4096;
    client_ = std::make_unique<CoapClient>(io_.get_executor(), options);
    client_->async_connect([next = std::move(next)](error_code error) {
      ASSERT_FALSE(error) << error.message();
      next();
    });
  }
  /// Notes how a request ended, and ends the test.
  auto finish() {
    return [this](error_code error, const CoapResponse& response) {
      log_.push_back((error ? error.message() : "ok") + " " + coap::to_string(response.code) + " " +
                     response.payload + " " + response.content_type);
      client_->close();
      server_->stop();
    };
  }
  void receive(int count) {
    client_->async_receive([this, count](error_code error, const CoapNotification& value) {
      log_.push_back(error ? error.message()
                           : value.topic + "=" + value.payload + (value.first ? " first" : ""));
      if (!error && count > 1) return receive(count - 1);
      if (done_) done_();
    });
  }

  asio::io_context io_;
  std::optional<ScriptedUdpServer> server_;
  std::unique_ptr<CoapClient> client_;
  std::vector<std::string> log_;
  std::vector<std::string> requests_;
  std::function<void()> done_;
};

TEST_F(CoapClientTest, Gets) {
  start(
      [this](const std::string& request) {
        requests_.push_back(essence(request));
        return std::vector{piggybacked(request, "45 c0 ff 33342e35")};  // 2.05, text/plain
      },
      [this] { client_->async_get({"ps", "data", "a"}, finish()); });
  run(io_);
  EXPECT_THAT(requests_, testing::ElementsAre(octets("48 01 b2 7073 04 64617461 01 61")));
  EXPECT_THAT(log_, testing::ElementsAre("ok 2.05 34.5 text/plain;charset=utf-8"));
}

TEST_F(CoapClientTest, Puts) {
  start(
      [this](const std::string& request) {
        requests_.push_back(essence(request));
        return std::vector{piggybacked(request, "44")};
      },
      [this] {
        client_->async_put({"a"}, {.payload = "1", .content_type = "application/json"}, finish());
      });
  run(io_);
  EXPECT_THAT(requests_, testing::ElementsAre(octets("48 03 b1 61 11 32 ff 31")));
  EXPECT_THAT(log_, testing::ElementsAre("ok 2.04  "));
}

TEST_F(CoapClientTest, Deletes) {
  start(
      [this](const std::string& request) {
        requests_.push_back(essence(request));
        return std::vector{piggybacked(request, "42")};
      },
      [this] { client_->async_delete({"a"}, finish()); });
  run(io_);
  EXPECT_THAT(requests_, testing::ElementsAre(octets("48 04 b1 61")));
  EXPECT_THAT(log_, testing::ElementsAre("ok 2.02  "));
}

TEST_F(CoapClientTest, ErrorsOfTheServerAreErrors) {
  start([](const std::string& request) { return std::vector{piggybacked(request, "84")}; },
        [this] { client_->async_get({"a"}, finish()); });
  run(io_);
  EXPECT_THAT(log_, testing::ElementsAre("not found 4.04  "));
}

TEST_F(CoapClientTest, RepeatsWhatIsNotAnswered) {
  start(
      [this](const std::string& request) {
        requests_.push_back(request);
        if (requests_.size() < 3) return std::vector<std::string>();
        return std::vector{piggybacked(request, "45 ff 31")};
      },
      [this] { client_->async_get({"a"}, finish()); });
  run(io_);
  ASSERT_EQ(requests_.size(), 3u);
  EXPECT_EQ(requests_[0], requests_[1]);
  EXPECT_EQ(requests_[0], requests_[2]);
  EXPECT_THAT(log_, testing::ElementsAre("ok 2.05 1 "));
}

TEST_F(CoapClientTest, SilentServersAreGivenUp) {
  start([](const std::string&) { return std::vector<std::string>(); },
        [this] { client_->async_get({"a"}, finish()); });
  run(io_);
  EXPECT_THAT(log_, testing::ElementsAre("the server did not answer in time 0.00  "));
}

TEST_F(CoapClientTest, ObservesUntilItCancels) {
  start(
      [this](const std::string& request) {
        requests_.push_back(essence(request));
        if (requests_.size() > 1) return std::vector{piggybacked(request, "45 c0 ff 33")};
        return std::vector{piggybacked(request, "45 61 01 60 ff 31"),
                           notification(request, 1, "45 61 03 60 ff 33"),
                           notification(request, 2, "45 61 02 60 ff 32")};  // late: not newer
      },
      [this] {
        client_->async_observe({"ps", "data", "a"}, [this](error_code error, CoapObservation id) {
          ASSERT_FALSE(error) << error.message();
          done_ = [this, id] {
            client_->async_cancel(id, [this](error_code failed) {
              EXPECT_FALSE(failed) << failed.message();
              client_->close();
              server_->stop();
            });
          };
          receive(2);
        });
      });
  run(io_);
  EXPECT_THAT(log_, testing::ElementsAre("a=1 first", "a=3"));
  EXPECT_THAT(requests_, testing::ElementsAre(octets("48 01 60 52 7073 04 64617461 01 61"),
                                              octets("48 01 61 01 52 7073 04 64617461 01 61")));
}

TEST_F(CoapClientTest, ObservationsThatAreRefusedEndAtOnce) {
  start([](const std::string& request) { return std::vector{piggybacked(request, "84")}; },
        [this] {
          client_->async_observe({"a"}, [this](error_code error, CoapObservation) {
            log_.push_back(error.message());
            client_->close();
            server_->stop();
          });
        });
  run(io_);
  EXPECT_THAT(log_, testing::ElementsAre("not found"));
}

TEST_F(CoapClientTest, ObservationsThatTheServerEndsAreReported) {
  start(
      [](const std::string& request) {
        return std::vector{piggybacked(request, "45 61 01 60 ff 31"),
                           notification(request, 1, "84")};
      },
      [this] {
        done_ = [this] {
          client_->close();
          server_->stop();
        };
        client_->async_observe({"a"}, [this](error_code, CoapObservation) { receive(2); });
      });
  run(io_);
  EXPECT_THAT(log_, testing::ElementsAre("/a=1 first", "not found"));
}

TEST_F(CoapClientTest, ClosingEndsOperations) {
  start([](const std::string&) { return std::vector<std::string>(); },
        [this] {
          client_->async_cancel(7, [this](error_code error) { log_.push_back(error.message()); });
          client_->async_get({"a"}, finish());
          receive(1);
          client_->close();
        });
  run(io_);
  EXPECT_THAT(log_,
              testing::ElementsAre("not found", "the connection was closed by this side 0.00  ",
                                   "the connection was closed by this side"));
}

TEST_F(CoapClientTest, BoundsTheRequestsUnderWay) {
  start([](const std::string&) { return std::vector<std::string>{}; },
        [this] {
          const auto note = [this](error_code error, const CoapResponse&) {
            log_.push_back(error.message());
          };
          client_->async_get({"ps", "data", "a"}, note);
          client_->async_get({"ps", "data", "b"}, note);
          client_->async_get({"ps", "data", "c"},
                             [this, note](error_code error, const CoapResponse& response) {
                               note(error, response);
                               client_->close();
                               server_->stop();
                             });
        });
  run(io_);
  EXPECT_THAT(log_,
              testing::ElementsAre("too many operations are under way: wait for some to complete",
                                   "the connection was closed by this side",
                                   "the connection was closed by this side"));
}

TEST_F(CoapClientTest, LargePayloadsAreRefused) {
  start([](const std::string&) { return std::vector<std::string>(); },
        [this] { client_->async_put({"a"}, {.payload = std::string(5000, 'x')}, finish()); });
  run(io_);
  EXPECT_THAT(log_, testing::ElementsAre("too large for a packet 0.00  "));
}

// --- the general form ---

TEST_F(CoapClientTest, RequestsWithEveryPart) {
  start(
      [this](const std::string& request) {
        requests_.push_back(essence(request));
        // 2.01, ETag, Location-Path, Location-Query, Max-Age
        return std::vector{piggybacked(request, "41 41 e1 41 6c 61 09 63 713d31")};
      },
      [this] {
        client_->async_request({.method = coap::code::kPost,
                                .path = {"a"},
                                .query = {"q=1"},
                                .payload = "v",
                                .content_format = coap::ContentFormat::kJson,
                                .if_none_match = true,
                                .options = {{2048, "z"}}},
                               [this](error_code error, const CoapResponse& response) {
                                 EXPECT_EQ(response.etag, "\xe1");
                                 EXPECT_THAT(response.location_path, testing::ElementsAre("l"));
                                 EXPECT_THAT(response.location_query, testing::ElementsAre("q=1"));
                                 EXPECT_EQ(response.options.size(), 4u);
                                 EXPECT_EQ(response.max_age_s, 9u);
                                 finish()(error, response);
                               });
      });
  run(io_);
  EXPECT_THAT(requests_,
              testing::ElementsAre(octets("48 02 50 61 61 11 32 33 713d31 e1 06e4 7a ff 76")));
  EXPECT_THAT(log_, testing::ElementsAre("ok 2.01  "));
}

TEST_F(CoapClientTest, SendsAndReceivesLargeBodies) {
  const std::string large(40, 'x');
  start(
      [this](const std::string& request) {
        requests_.push_back(request.substr(kHeaderSize + kTokenSize));
        switch (requests_.size()) {
          case 1:  // 2.31, Block1 0/1/16
            return std::vector{piggybacked(request, "5f d1 0e 08")};
          case 2:
            return std::vector{piggybacked(request, "5f d1 0e 18")};
          case 3:  // 2.04, Block2 0/1/16, Block1 2/0/16
            return std::vector{
                piggybacked(request, "44 d1 0a 08 41 20 ff 30313233343536373839616263646566")};
          default:  // Block2 1/0/16
            return std::vector{piggybacked(request, "44 d1 0a 10 ff 21")};
        }
      },
      [this, large] {
        client_->async_request({.method = coap::code::kPost, .path = {"a"}, .payload = large},
                               finish());
      });
  run(io_);
  ASSERT_EQ(requests_.size(), 4u);
  EXPECT_EQ(requests_[3], octets("b1 61 c1 10"));
  EXPECT_THAT(log_, testing::ElementsAre("ok 2.04 0123456789abcdef! "));
}

TEST_F(CoapClientTest, TellsWhenToTryAgain) {
  start([](const std::string& request) { return std::vector{piggybacked(request, "9d d1 01 07")}; },
        [this] {
          client_->async_request({.path = {"a"}},
                                 [this](error_code error, const CoapResponse& response) {
                                   EXPECT_EQ(error, Error::kBadRequest);
                                   EXPECT_EQ(response.retry_after_s, 7u);  // RFC 8516 §3
                                   finish()(error, response);
                                 });
        });
  run(io_);
  EXPECT_THAT(log_, testing::ElementsAre("the server does not accept the request 4.29  "));
}

TEST_F(CoapClientTest, AnAnswerThatIgnoresBlocksIsAnError) {
  start([](const std::string& request) { return std::vector{piggybacked(request, "44")}; },
        [this] { client_->async_put({"a"}, {.payload = std::string(40, 'x')}, finish()); });
  run(io_);
  EXPECT_THAT(log_, testing::ElementsAre("the server broke the protocol 2.04  "));
}

TEST_F(CoapClientTest, ObservesByAnyRequest) {
  start(
      [this](const std::string& request) {
        requests_.push_back(essence(request));
        return std::vector{piggybacked(request, "45 41 e1 21 01 60 ff 31"),  // ETag, Observe
                           notification(request, 1, "45 61 03 ff 33"),
                           notification(request, 2, "84 ff 6e6f")};
      },
      [this] {
        client_->async_observe(
            CoapRequest{.method = coap::code::kFetch, .path = {"a"}, .payload = "f"},
            [this](error_code error, const CoapResponse& response) {
              EXPECT_FALSE(error) << error.message();
              EXPECT_NE(response.observation, 0u);
              EXPECT_EQ(response.etag, "\xe1");
              client_->async_receive([this](error_code, const CoapNotification& value) {
                EXPECT_EQ(value.etag, "\xe1");
                EXPECT_EQ(value.observe, 1u);
                EXPECT_NE(value.observation, 0u);
                log_.push_back(value.payload);
                client_->async_receive([this](error_code, const CoapNotification& newer) {
                  log_.push_back(newer.payload);
                  client_->async_receive([this](error_code failed, const CoapNotification& last) {
                    log_.push_back(failed.message() + " " + coap::to_string(last.code) + " " +
                                   last.payload);
                    client_->close();
                    server_->stop();
                  });
                });
              });
            });
      });
  run(io_);
  EXPECT_THAT(requests_, testing::ElementsAre(octets("48 05 60 51 61 ff 66")));
  EXPECT_THAT(log_, testing::ElementsAre("1", "3", "not found 4.04 no"));
}

TEST_F(CoapClientTest, TellsTheValueOfWhatIsNotObserved) {
  start([](const std::string& request) { return std::vector{piggybacked(request, "45 ff 31")}; },
        [this] { client_->async_observe(CoapRequest{.path = {"a"}}, finish()); });
  run(io_);
  EXPECT_THAT(log_, testing::ElementsAre("the server does not accept the request 2.05 1 "));
}

TEST_F(CoapClientTest, Pings) {
  start(
      [this](const std::string& request) {
        requests_.push_back(request.substr(0, 2));
        return std::vector{octets("70 00") + request.substr(2, 2)};
      },
      [this] {
        client_->async_ping([this](error_code error) {
          log_.push_back(error ? error.message() : "alive");
          client_->close();
          server_->stop();
        });
      });
  run(io_);
  EXPECT_THAT(requests_, testing::ElementsAre(octets("40 00")));
  EXPECT_THAT(log_, testing::ElementsAre("alive"));
}

TEST(CoapClient, NobodyListens) {
  asio::io_context io;
  std::uint16_t port = 0;
  {
    asio::ip::udp::socket gone(io, {asio::ip::address_v4::loopback(), 0});
    port = gone.local_endpoint().port();
  }
  CoapClient client(io.get_executor(), {.host = "127.0.0.1", .port = port});
  error_code result;
  client.async_connect([&](error_code) {
    client.async_get({"a"}, [&](error_code error, const CoapResponse&) { result = error; });
  });
  run(io);
  EXPECT_EQ(result, asio::error::connection_refused);
}

// "localhost" is ::1 first where there is IPv6; the server has 127.0.0.1 only.
TEST(CoapClient, TriesTheNextAddressOfAHost) {
  asio::io_context io;
  ScriptedUdpServer server(
      io, [](const std::string& request) { return std::vector{piggybacked(request, "45 ff 31")}; });
  CoapClient client(io.get_executor(), {.host = "localhost", .port = server.port()});
  std::string payload;
  client.async_connect([&](error_code) {
    client.async_get({"a"}, [&](error_code error, const CoapResponse& response) {
      EXPECT_FALSE(error) << error.message();
      payload = response.payload;
      client.close();
      server.stop();
    });
  });
  run(io);
  EXPECT_EQ(payload, "1");
}

}  // namespace
}  // namespace hermod::client
