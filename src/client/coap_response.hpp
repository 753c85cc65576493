// SPDX-License-Identifier: Apache-2.0
// What the options of a CoAP response say, for applications.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "hermod/client/coap_client.hpp"
#include "hermod/coap/codec/message.hpp"

namespace hermod::client {

/// Fills what a response and a notification both tell of their options.
template <typename Answer>
void read_common_options(coap::Options options, Answer& answer) {
  using enum coap::OptionNumber;
  for (const coap::OptionView& option : options) {
    answer.options.push_back(
        {static_cast<std::uint16_t>(option.number), std::string(as_text(option.value))});
    const std::optional<std::uint32_t> number = coap::uint_value(option.value);
    if (option.number == kETag) answer.etag = as_text(option.value);
    if (option.number == kMaxAge) answer.max_age_s = number;
    if (option.number == kObserve) answer.observe = number;
    if (option.number == kContentFormat && number <= 0xffffu) {
      answer.content_format = static_cast<coap::ContentFormat>(*number);
    }
  }
}

/// Fills what a response tells of its options; its code is there.
void read_options(coap::Options options, CoapResponse& response);

}  // namespace hermod::client
