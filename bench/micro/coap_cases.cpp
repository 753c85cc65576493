// SPDX-License-Identifier: Apache-2.0
// CoAP's codec: a GET as it comes, its answer and a notification as they leave.
#include <array>

#include "case.hpp"
#include "hermod/coap/codec/message.hpp"
#include "hermod/coap/codec/writer.hpp"

namespace hermod::micro {
namespace {

using coap::BodyWriter;
using coap::OptionNumber;

struct Datagram {
  std::array<std::uint8_t, 8> token{1, 2, 3, 4, 5, 6, 7, 8};
  std::array<std::uint8_t, 256> octets{};
  std::size_t size = 0;

  [[nodiscard]] Bytes bytes() const { return Bytes(octets).first(size); }
};

// GET /ps/data/plant/hall-3/line-7/temperature
void write_get(Datagram& out) {
  BodyWriter body(coap::write_head(out.octets.data(), coap::Type::kCon, coap::code::kGet, 7,
                                   Bytes(out.token).first(4)));
  body.uint_option(OptionNumber::kObserve, 0);
  for (const std::string_view segment : {"ps", "data", "plant", "hall-3", "line-7", "temperature"})
    body.option(OptionNumber::kUriPath, segment);
  out.size = static_cast<std::size_t>(body.position() - out.octets.data());
}

void write_notification(Datagram& out) {
  BodyWriter body(coap::write_head(out.octets.data(), coap::Type::kNon, coap::code::kContent, 7,
                                   Bytes(out.token).first(4)));
  body.uint_option(OptionNumber::kObserve, 4711);
  body.uint_option(OptionNumber::kContentFormat, 0);
  body.uint_option(OptionNumber::kMaxAge, 120);
  body.payload(as_bytes(std::string_view{"0123456789abcdef"}));
  out.size = static_cast<std::size_t>(body.position() - out.octets.data());
}

template <typename Write>
void add(Cases& cases, const std::string& what, Write write) {
  cases.push_back({"coap/decode/" + what, [write] {
                     auto datagram = std::make_shared<Datagram>();
                     write(*datagram);
                     return each(std::move(datagram), [](Datagram& d) {
                       const auto message = coap::decode(d.bytes());
                       keep(message);
                     });
                   }});
  cases.push_back({"coap/encode/" + what, [write] {
                     return each(std::make_shared<Datagram>(), [write](Datagram& d) {
                       write(d);
                       keep(d);
                     });
                   }});
}

}  // namespace

void add_coap(Cases& cases) {
  add(cases, "get", [](Datagram& out) { write_get(out); });
  add(cases, "notification", [](Datagram& out) { write_notification(out); });
}

}  // namespace hermod::micro
