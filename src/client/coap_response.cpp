// SPDX-License-Identifier: Apache-2.0
#include "coap_response.hpp"

namespace hermod::client {

void read_options(coap::Options options, CoapResponse& response) {
  using enum coap::OptionNumber;
  read_common_options(options, response);
  for (const coap::OptionView& option : options) {
    const std::string text(as_text(option.value));
    if (option.number == kLocationPath) response.location_path.push_back(text);
    if (option.number == kLocationQuery) response.location_query.push_back(text);
    if (option.number == kSize1) response.size1 = coap::uint_value(option.value);
    if (option.number == kSize2) response.size2 = coap::uint_value(option.value);
  }
  const bool later = response.code == coap::code::kTooManyRequests ||  // RFC 8516 §3
                     response.code == coap::code::kServiceUnavailable;
  if (later) response.retry_after_s = response.max_age_s.value_or(coap::kMaxAgeDefaultS);
}

}  // namespace hermod::client
