// SPDX-License-Identifier: Apache-2.0
#include "hermod/client/coap_group.hpp"

#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/multicast.hpp>
#include <boost/asio/ip/udp.hpp>
#include <cerrno>
#include <cstring>
#include <deque>
#include <set>
#include <utility>
#include <vector>

#include "coap_response.hpp"
#include "hermod/base/rng.hpp"
#include "hermod/coap/codec/block.hpp"
#include "hermod/coap/codec/writer.hpp"

namespace hermod::client {

namespace asio = boost::asio;
using asio::ip::udp;

namespace {

constexpr std::size_t kWaitingMax = 1024;  // answers that nobody has received yet
constexpr std::size_t kKnownMax = 65'536;  // answers that are known when they come again
constexpr std::size_t kDatagramMax = 65'536;
constexpr std::size_t kTokenSize = 8;

}  // namespace

class CoapGroup::Question : public std::enable_shared_from_this<CoapGroup::Question> {
 public:
  Question(executor_type executor, CoapGroupOptions options)
      : options_(std::move(options)), socket_(std::move(executor)), input_(kDatagramMax) {}

  [[nodiscard]] executor_type executor() { return socket_.get_executor(); }
  [[nodiscard]] error_code ask(const CoapRequest& request);
  void receive(Handler<void(error_code, CoapGroupAnswer)> handler);
  void close();

 private:
  [[nodiscard]] error_code open(const udp::endpoint& group);
  [[nodiscard]] std::vector<std::uint8_t> encode(const CoapRequest& request);
  void read();
  void on_datagram(Bytes datagram);
  void hand_over();

  CoapGroupOptions options_;
  udp::socket socket_;
  SystemRng rng_;
  std::array<std::uint8_t, kTokenSize> token_{};
  std::vector<std::uint8_t> input_;
  udp::endpoint from_;
  std::set<std::pair<udp::endpoint, std::uint16_t>> known_;  // by Message ID
  std::deque<CoapGroupAnswer> answers_;
  Handler<void(error_code, CoapGroupAnswer)> handler_;
  bool closed_ = false;
};

error_code CoapGroup::Question::ask(const CoapRequest& request) {
  if (closed_) return Error::kClosed;
  if (socket_.is_open()) return Error::kAlreadyConnected;
  error_code error;
  auto address = asio::ip::make_address(options_.host, error);
  if (error) return error;
  if (const unsigned index = if_nametoindex(options_.interface.c_str());
      index != 0 && address.is_v6()) {  // which of the link-local addresses of that name
    address = asio::ip::address_v6(address.to_v6().to_bytes(), index);
  } else if (index == 0 && !options_.interface.empty()) {
    return {ENODEV, boost::system::system_category()};
  }
  const udp::endpoint group(address, options_.port);
  error = open(group);
  if (error) return error;
  const std::vector<std::uint8_t> datagram = encode(request);
  socket_.send_to(asio::buffer(datagram), group, 0, error);
  if (error) return error;
  read();
  return {};
}

error_code CoapGroup::Question::open(const udp::endpoint& group) {
  error_code error;
  socket_.open(group.protocol(), error);
  if (const unsigned index = if_nametoindex(options_.interface.c_str()); !error && index != 0) {
    if (group.address().is_v6()) {
      socket_.set_option(asio::ip::multicast::outbound_interface(index), error);
    } else {
      const ip_mreqn by{.imr_ifindex = static_cast<int>(index)};
      if (::setsockopt(socket_.native_handle(), IPPROTO_IP, IP_MULTICAST_IF, &by, sizeof(by)) != 0)
        error.assign(errno, boost::system::system_category());
    }
  }
  if (!error) socket_.bind(udp::endpoint(group.protocol(), options_.local_port), error);
  if (error) {
    error_code ignored;
    socket_.close(ignored);
  }
  return error;
}

std::vector<std::uint8_t> CoapGroup::Question::encode(const CoapRequest& request) {
  const std::uint64_t random = rng_.next();
  std::memcpy(token_.data(), &random, token_.size());
  std::size_t size = coap::head_size(kTokenSize) + coap::kOptionOverheadMax + 2;
  for (const std::string& text : request.path) size += coap::kOptionOverheadMax + text.size();
  for (const std::string& text : request.query) size += coap::kOptionOverheadMax + text.size();
  std::vector<std::uint8_t> out(size);
  coap::BodyWriter body(coap::write_head(out.data(), coap::Type::kNon, coap::code::kGet,
                                         static_cast<std::uint16_t>(rng_.next()), token_));
  using enum coap::OptionNumber;
  for (const std::string& segment : request.path) body.option(kUriPath, segment);
  for (const std::string& argument : request.query) body.option(kUriQuery, argument);
  if (request.accept) body.uint_option(kAccept, static_cast<std::uint32_t>(*request.accept));
  out.resize(static_cast<std::size_t>(body.position() - out.data()));
  return out;
}

void CoapGroup::Question::read() {
  socket_.async_receive_from(asio::buffer(input_), from_,
                             [self = shared_from_this()](error_code error, std::size_t count) {
                               if (self->closed_) return;
                               // An error is of one server, and says nothing of the others.
                               if (!error) self->on_datagram({self->input_.data(), count});
                               self->read();
                             });
}

void CoapGroup::Question::on_datagram(Bytes datagram) {
  const auto message = coap::decode(datagram);
  if (!message || !message->code.is_response() || !std::ranges::equal(message->token, token_)) {
    return;
  }
  if (message->type == coap::Type::kCon) {  // RFC 7252 §4.2
    std::array<std::uint8_t, coap::kHeaderSize> empty{};
    (void)coap::write_head(empty.data(), coap::Type::kAck, coap::code::kEmpty, message->message_id,
                           {});
    error_code ignored;
    socket_.send_to(asio::buffer(empty), from_, 0, ignored);
  }
  if (known_.size() >= kKnownMax || answers_.size() >= kWaitingMax) return;
  if (!known_.emplace(from_, message->message_id).second) return;
  CoapGroupAnswer answer{.host = from_.address().to_string(), .port = from_.port()};
  answer.response.code = message->code;
  answer.response.payload = as_text(message->payload);
  read_options(message->options, answer.response);
  if (const auto value = message->options.find(coap::OptionNumber::kBlock2)) {
    const auto block = coap::read_block(*value);
    answer.whole = block && block->number == 0 && !block->more;
  }
  answers_.push_back(std::move(answer));
  hand_over();
}

void CoapGroup::Question::receive(Handler<void(error_code, CoapGroupAnswer)> handler) {
  handler_ = std::move(handler);
  hand_over();
}

void CoapGroup::Question::hand_over() {
  if (!handler_) return;
  if (!answers_.empty()) {
    CoapGroupAnswer answer = std::move(answers_.front());
    answers_.pop_front();
    return handler_({}, std::move(answer));
  }
  if (closed_) handler_(Error::kClosed, {});
}

void CoapGroup::Question::close() {
  if (std::exchange(closed_, true)) return;
  error_code ignored;
  socket_.close(ignored);
  hand_over();
}

CoapGroup::CoapGroup(executor_type executor, CoapGroupOptions options)
    : question_(std::make_shared<Question>(std::move(executor), std::move(options))) {}
CoapGroup::~CoapGroup() {
  close();
}
CoapGroup::CoapGroup(CoapGroup&&) noexcept = default;
CoapGroup& CoapGroup::operator=(CoapGroup&& other) noexcept {
  if (this != &other) {
    close();
    question_ = std::move(other.question_);
  }
  return *this;
}

error_code CoapGroup::ask(const CoapRequest& request) {
  return question_->ask(request);
}

void CoapGroup::receive(Handler<void(error_code, CoapGroupAnswer)> handler) {
  question_->receive(std::move(handler));
}

CoapGroup::executor_type CoapGroup::get_executor() const {
  return question_->executor();
}

void CoapGroup::close() {
  if (question_ != nullptr) question_->close();
}

}  // namespace hermod::client
