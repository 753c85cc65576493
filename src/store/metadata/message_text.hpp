// SPDX-License-Identifier: Apache-2.0
// A message as JSON, every member of it; for MetadataText.
#pragma once

#include <boost/json.hpp>

#include "hermod/model/message.hpp"
#include "hermod/store/calendar.hpp"
#include "json_members.hpp"

namespace hermod::store {

[[nodiscard]] boost::json::value json_message(const model::Message& message,
                                              const Calendar& calendar);
/// Empty when `trouble` then says what is wrong.
[[nodiscard]] model::MessageRef message_of_json(const boost::json::value& value,
                                                std::string_view name, const Calendar& calendar,
                                                Trouble& trouble);

}  // namespace hermod::store
