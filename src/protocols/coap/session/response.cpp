// SPDX-License-Identifier: Apache-2.0
#include "response.hpp"

namespace hermod::coap {

std::size_t response_size_max(const Reply& reply, std::size_t token_size) {
  constexpr std::size_t kSize1Max = 7;
  const std::size_t representation =
      reply.representation == nullptr ? 0 : representation_size_max(*reply.representation);
  // No more than is written: who checked that a representation fits in a datagram left no room.
  return head_size(token_size) + (reply.size1 ? kSize1Max : 0) + representation +
         payload_size(reply.diagnostic.size());
}

std::uint8_t* write_response(std::uint8_t* out, Type type, std::uint16_t message_id, Bytes token,
                             const Reply& reply) {
  BodyWriter body(write_head(out, type, reply.code, message_id, token));
  if (reply.representation != nullptr) {
    write_representation(body, *reply.representation, reply.observe);
  }
  if (reply.size1) body.uint_option(OptionNumber::kSize1, *reply.size1);
  body.payload(as_bytes(reply.diagnostic));
  return body.position();
}

}  // namespace hermod::coap
