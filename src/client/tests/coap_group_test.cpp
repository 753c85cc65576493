// SPDX-License-Identifier: Apache-2.0
// A question to a group against servers that answer as each test says, on an address of their own:
// interop/coap_multicast_test.py has real groups. Names of statements: tests/conformance.
#include "hermod/client/coap_group.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hermod/coap/codec/message.hpp"
#include "scripted_server.hpp"

namespace hermod::client {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// A Non-confirmable response with the request's token.
std::string answer(const std::string& request, std::uint8_t id, std::string_view code_and_options,
                   std::string_view payload) {
  const std::string rest = octets(code_and_options);
  return octets("58") + rest.substr(0, 1) + std::string{'\0', static_cast<char>(id)} +
         request.substr(kHeaderSize, kTokenSize) + rest.substr(1) + '\xff' + std::string(payload);
}

class CoapGroupTest : public testing::Test {
 protected:
  using Answer = ScriptedUdpServer::Answer;

  /// Asks servers that answer so, until `count` answers have come and whatever was on the way too.
  void ask(Answer server, std::size_t count, const CoapRequest& request) {
    server_.emplace(io_, [this, server = std::move(server)](const std::string& datagram) {
      asked_.push_back(datagram);
      return server(datagram);
    });
    group_.emplace(io_.get_executor(),
                   CoapGroupOptions{.host = "127.0.0.1", .port = server_->port()});
    ASSERT_FALSE(group_->ask(request));
    receive(count);
    io_.run_for(std::chrono::seconds{20});
    ASSERT_GE(answers_.size(), count);
  }
  void receive(std::size_t count) {
    group_->async_receive([this, count](error_code error, const CoapGroupAnswer& found) {
      if (error) return end_.push_back(error.message());
      answers_.push_back(found);
      if (answers_.size() < count) return receive(count);
      group_->close();
      server_->stop();
    });
  }
  [[nodiscard]] std::vector<std::string> payloads() const {
    std::vector<std::string> all;
    for (const CoapGroupAnswer& found : answers_) all.push_back(found.response.payload);
    return all;
  }

  boost::asio::io_context io_;
  std::optional<ScriptedUdpServer> server_;
  std::optional<CoapGroup> group_;
  std::vector<std::string> asked_;
  std::vector<CoapGroupAnswer> answers_;
  std::vector<std::string> end_;
  const CoapRequest links_{.path = {".well-known", "core"},
                           .query = {"rt=x"},
                           .accept = coap::ContentFormat::kLinkFormat};
};

class Rfc7252Group : public CoapGroupTest {};

TEST_F(CoapGroupTest, EveryAnswerIsShownWithItsServer) {
  ask(
      [](const std::string& request) -> std::vector<std::string> {
        return {answer(request, 1, "45c128", "one"), answer(request, 2, "45c128", "two")};
      },
      2, links_);
  EXPECT_THAT(payloads(), ElementsAre("one", "two"));
  EXPECT_EQ(answers_[0].host, "127.0.0.1");
  EXPECT_TRUE(answers_[0].whole);
  EXPECT_EQ(answers_[0].response.code, coap::code::kContent);
  EXPECT_EQ(answers_[0].response.content_format, coap::ContentFormat::kLinkFormat);
}

TEST_F(CoapGroupTest, RepetitionsAndWhatIsNoAnswerAreLeftOut) {
  ask(
      [](const std::string& request) -> std::vector<std::string> {
        return {answer(request, 1, "45", "one"),
                answer(request, 1, "45", "one"),
                "rubbish",
                octets("70000001"),
                answer(request, 2, "01", "a request"),
                answer(request, 3, "45", "two")};
      },
      2, links_);
  EXPECT_THAT(payloads(), ElementsAre("one", "two"));
}

// RFC 7959 §2.8: the others are the server's own.
TEST_F(CoapGroupTest, AFirstBlockIsNotTheWhole) {
  ask(
      [](const std::string& request) -> std::vector<std::string> {
        return {answer(request, 1, "45d10a08", "0123456789abcdef")};  // Block2 0/1/16
      },
      1, links_);
  EXPECT_FALSE(answers_[0].whole);
}

// RFC 7252 §8.1: Non-confirmable; one question has one Message ID, and it is the only message of
// its endpoint. §8.2.1: no ETag, whatever the application has.
TEST_F(Rfc7252Group, RFC7252_8_1_3_and_8_2_1_1_a_question_is_one_message_without_an_etag) {
  CoapRequest request = links_;
  request.etags = {"e"};
  ask(
      [](const std::string& asked) -> std::vector<std::string> {
        return {answer(asked, 1, "45", "one")};
      },
      1, request);
  ASSERT_EQ(asked_.size(), 1u);
  EXPECT_EQ(asked_[0].substr(0, 2), octets("5801"));
  EXPECT_EQ(asked_[0].substr(kHeaderSize + kTokenSize), octets("bb") + ".well-known" +
                                                            octets("04") + "core" + octets("44") +
                                                            "rt=x" + octets("2128"));
  EXPECT_EQ(group_->ask(request), Error::kClosed);
}

TEST_F(Rfc7252Group, RFC7252_8_1_3_a_second_question_needs_another_endpoint) {
  server_.emplace(io_, [](const std::string&) { return std::vector<std::string>(); });
  CoapGroup group(io_.get_executor(), {.host = "127.0.0.1", .port = server_->port()});
  EXPECT_FALSE(group.ask(links_));
  EXPECT_EQ(group.ask(links_), Error::kAlreadyConnected);
}

// RFC 7252 §8.2: it is the token that makes a message an answer, whoever sends it.
TEST_F(Rfc7252Group, RFC7252_8_2_1_answers_match_by_their_token) {
  ask(
      [](const std::string& request) -> std::vector<std::string> {
        std::string other = answer(request, 1, "45", "other");
        other[kHeaderSize] = static_cast<char>(other[kHeaderSize] ^ 1);
        return {other, octets("50450002ff") + "none", answer(request, 3, "45", "mine")};
      },
      1, links_);
  EXPECT_THAT(payloads(), ElementsAre("mine"));
}

// RFC 7252 §4.2: a server that answers Confirmably does not do as it should, and hears an
// Acknowledgement all the same.
TEST_F(CoapGroupTest, ConfirmableAnswersAreAcknowledged) {
  ask(
      [](const std::string& request) -> std::vector<std::string> {
        if (request.size() == kHeaderSize) return {};
        std::string found = answer(request, 7, "45", "one");
        found[0] = static_cast<char>(found[0] & ~0x30);
        return {found, answer(request, 8, "45", "two")};
      },
      2, links_);
  EXPECT_THAT(payloads(), ElementsAre("one", "two"));
}

TEST_F(CoapGroupTest, SaysWhatIsWrong) {
  CoapGroup name(io_.get_executor(), {.host = "example.org"});
  EXPECT_TRUE(name.ask(links_));
  CoapGroup nowhere(io_.get_executor(), {.host = "224.0.1.187", .interface = "none0"});
  EXPECT_EQ(nowhere.ask(links_).message(), "No such device");
}

TEST_F(CoapGroupTest, ClosingEndsIt) {
  CoapGroup group(io_.get_executor(), {.host = "127.0.0.1"});
  error_code ended;
  group.async_receive([&](error_code error, const CoapGroupAnswer&) { ended = error; });
  group.close();
  io_.run_for(std::chrono::seconds{20});
  EXPECT_EQ(ended, Error::kClosed);
  EXPECT_THAT(answers_, IsEmpty());
}

}  // namespace
}  // namespace hermod::client
