// SPDX-License-Identifier: Apache-2.0
// Requests of a client as octets. What all messages of an operation say is encoded once; what
// belongs to one of them (Observe, blocks, Echo, tags) is merged in when it is sent.
#include <algorithm>
#include <array>

#include "client_exchange.hpp"
#include "hermod/base/assert.hpp"
#include "hermod/base/writer.hpp"
#include "hermod/coap/codec/writer.hpp"
#include "hermod/coap/session/client_session.hpp"
#include "hermod/coap/session/request_options.hpp"

namespace hermod::coap {
namespace {

using enum OptionNumber;

/// The options of a request, put into order.
class OptionList {
 public:
  explicit OptionList(std::vector<OptionView>& list) : list_(list) { list_.clear(); }

  void add(OptionNumber number, Bytes value) { list_.push_back({number, value}); }
  void add(OptionNumber number, std::string_view value) { add(number, as_bytes(value)); }
  void add(OptionNumber number, std::span<const std::string> values) {
    for (const std::string& value : values) add(number, value);
  }
  void add_uint(OptionNumber number, std::uint32_t value) {
    HERMOD_ASSERT(used_ < numbers_.size());
    std::array<std::uint8_t, 4>& octets = numbers_[used_++];
    Writer(octets.data()).u32(value);
    add(number, Bytes{octets}.last(uint_size(value)));
  }
  void write(std::vector<std::uint8_t>& out) {
    std::ranges::stable_sort(list_, {}, &OptionView::number);
    std::size_t size = 0;
    for (const OptionView& option : list_) size += kOptionOverheadMax + option.value.size();
    out.resize(size);
    BodyWriter body(out.data());
    for (const OptionView& option : list_) body.option(option.number, option.value);
    out.resize(static_cast<std::size_t>(body.position() - out.data()));
  }

 private:
  std::vector<OptionView>& list_;
  std::array<std::array<std::uint8_t, 4>, 4> numbers_{};
  std::size_t used_ = 0;
};

/// Writes encoded options between others, in the order of their numbers. `first`: not those of a
/// block behind the first.
class OptionMerge {
 public:
  OptionMerge(BodyWriter& body, Bytes encoded, bool first)
      : body_(body), cursor_(encoded), first_(first) {
    more_ = cursor_.next();
  }
  void up_to(OptionNumber number) {
    for (; more_ && cursor_.option().number <= number; more_ = cursor_.next()) {
      if (!first_ && cursor_.option().number == kIfNoneMatch) continue;  // RFC 7959 §2.10
      body_.option(cursor_.option().number, cursor_.option().value);
    }
  }

 private:
  BodyWriter& body_;
  OptionCursor cursor_;
  bool first_;
  bool more_;
};

// Observe 1, Block2 3, Block1 3, Size1 4, Echo 40, No-Response 1, Request-Tag 4
constexpr std::size_t kMergedMax = 56 + 7 * kOptionOverheadMax;

}  // namespace

bool ClientSession::is_sendable(const ClientRequest& request) const {
  std::size_t size =
      head_size(request.token ? request.token->size() : kTokenSizeUsual) + kMergedMax;
  const auto add = [&](std::size_t length) { size += kOptionOverheadMax + length; };
  for (const auto texts : {request.path, request.query, request.if_match, request.etags}) {
    for (const std::string& text : texts) add(text.size());
  }
  for (const OptionView& option : request.other_options) add(option.value.size());
  for (const std::string_view text : {request.uri_host, request.proxy_uri}) add(text.size());
  constexpr std::size_t kNumbers = 4;  // Content-Format, Accept, Max-Age, Hop-Limit
  size += kNumbers * (kOptionOverheadMax + sizeof(std::uint32_t)) + kOptionOverheadMax;
  const std::uint8_t exponent = exponent_of(request);
  const std::size_t block = Block{.size_exponent = exponent}.size();
  size += payload_size(std::min(request.payload.size(), block));
  return size <= std::min(settings_.datagram_bytes_max, kOptionLengthMax) &&
         request.payload.size() <= settings_.body_bytes_max &&
         request.payload.size() <= (std::size_t{Block::kNumberMax} + 1) * block;
}

std::uint8_t ClientSession::exponent_of(const ClientRequest& request) const {
  const std::uint8_t own = std::min(settings_.block_exponent, Block::kExponentMax);
  return request.block ? std::min(request.block->size_exponent, Block::kExponentMax) : own;
}

void ClientSession::encode(Exchange& exchange, const ClientRequest& request) {
  exchange.method = request.method;
  exchange.type = request.confirmable ? Type::kCon : Type::kNon;
  exchange.observe = request.observe;
  exchange.no_response = request.no_response.value_or(0);
  OptionList list(sorting_);
  list.add(kIfMatch, request.if_match);
  if (!request.uri_host.empty()) list.add(kUriHost, request.uri_host);
  list.add(kETag, request.etags);
  if (request.if_none_match) list.add(kIfNoneMatch, Bytes{});
  list.add(kUriPath, request.path);
  if (request.content_format) {
    list.add_uint(kContentFormat, static_cast<std::uint32_t>(*request.content_format));
  }
  if (request.max_age_s) list.add_uint(kMaxAge, *request.max_age_s);
  list.add(kUriQuery, request.query);
  if (request.hop_limit) list.add_uint(kHopLimit, *request.hop_limit);
  if (request.accept) list.add_uint(kAccept, static_cast<std::uint32_t>(*request.accept));
  if (!request.proxy_uri.empty()) list.add(kProxyUri, request.proxy_uri);
  for (const OptionView& option : request.other_options) {
    if (option.number == kNoResponse) {
      exchange.no_response = static_cast<std::uint8_t>(uint_value(option.value).value_or(0));
    } else {
      list.add(option.number, option.value);
    }
  }
  list.write(exchange.options);
  exchange.body.assign(request.payload.begin(), request.payload.end());
  const std::uint8_t exponent = exponent_of(request);
  if (exchange.body.size() > Block{.size_exponent = exponent}.size()) {
    begin_sending(exchange, exponent);
  }
  if (request.block) {  // RFC 7959 §2.4: asked for from the start
    exchange.assembly.ask = true;
    exchange.assembly.next = {.number = request.block->number, .size_exponent = exponent};
    exchange.assembly.start = exchange.assembly.next.offset();
  }
}

/// The message that is due, as octets; its Message ID is set.
void ClientSession::compose(Exchange& exchange) {
  const BodySending& sending = exchange.sending;
  const BodyAssembly& assembly = exchange.assembly;
  Bytes payload = exchange.body;
  bool last = true;
  if (assembly.active) payload = {};  // RFC 7959 §3.3: none in requests for further blocks
  if (sending.active) {
    payload = payload.subspan(sending.offset, sending.size);
    last = sending.offset + sending.size == exchange.body.size();
  }
  exchange.datagram.resize(head_size(exchange.token.size()) + exchange.options.size() + kMergedMax +
                           payload_size(payload.size()));
  BodyWriter body(write_head(exchange.datagram.data(), exchange.type, exchange.method,
                             exchange.message_id, exchange.token.bytes()));
  OptionMerge merge(body, exchange.options, sending.offset == 0);
  merge.up_to(kObserve);
  if (exchange.observe) {
    body.uint_option(kObserve, exchange.cancelling ? kObserveDeregister : kObserveRegister);
  }
  merge.up_to(kBlock2);
  // RFC 7959 §3.3: with the last block of a request body
  if (assembly.ask && last) body.uint_option(kBlock2, assembly.next.value());
  merge.up_to(kBlock1);
  if (sending.active) {
    const Block block{
        .number = static_cast<std::uint32_t>(sending.offset >> (sending.exponent + 4u)),
        .more = !last,
        .size_exponent = sending.exponent};
    body.uint_option(kBlock1, block.value());
  }
  merge.up_to(kSize1);
  if (sending.active && sending.offset == 0) {  // RFC 7959 §4
    body.uint_option(kSize1, static_cast<std::uint32_t>(exchange.body.size()));
  }
  merge.up_to(kEcho);
  if (!echo_.empty()) body.option(kEcho, echo_);  // RFC 9175 §2.3
  merge.up_to(kNoResponse);
  if (exchange.no_response != 0) body.uint_option(kNoResponse, exchange.no_response);
  merge.up_to(kRequestTag);
  // RFC 9175 §3.4: in the Block2 phase as well
  if (sending.tag != 0) body.uint_option(kRequestTag, sending.tag);
  merge.up_to(static_cast<OptionNumber>(0xffff));
  body.payload(payload);
  exchange.datagram.resize(static_cast<std::size_t>(body.position() - exchange.datagram.data()));
}

}  // namespace hermod::coap
