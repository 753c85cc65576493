// SPDX-License-Identifier: Apache-2.0
// The requests of one peer that are being executed: what is needed to answer them, and the texts
// that their effects borrow. Records are reused, so that a peer in steady state allocates nothing.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hermod/base/time.hpp"
#include "hermod/coap/codec/message.hpp"
#include "hermod/coap/session/convert.hpp"
#include "hermod/coap/session/observe.hpp"
#include "hermod/coap/session/resources.hpp"
#include "hermod/coap/session/token.hpp"
#include "hermod/model/message.hpp"

namespace hermod::coap {

/// How a request came, which says how its response goes.
struct Exchange {
  Type type = Type::kCon;
  std::uint16_t message_id = 0;
  Token token;
  bool acknowledged = false;  ///< with an Empty message: the response goes separately
};

struct Request {
  /// The answer that is to come.
  enum Awaits : std::uint8_t { kNothing, kAttach, kSubscribe, kLookup, kPublish };

  Exchange exchange;
  Code method;
  bool open = false;
  Awaits awaits = kNothing;
  std::uint32_t index = 0;
  std::uint32_t generation = 0;
  std::uint64_t fingerprint = 0;
  Instant received{};

  std::string topic;
  std::optional<ContentFormat> accept;
  std::array<EntityTag, RequestView::kETagsMax> etags;
  std::vector<std::uint8_t> payload;  ///< of a PUT, as the next three
  std::optional<std::uint32_t> max_age_s;
  std::optional<ContentTypeText> content_type;
  model::Properties properties;

  ObservationId observation = 0;               ///< registered by this request
  std::uint64_t kept_version = 0;              ///< of its value when the lookup began
  TopicId observed_topic = 0;                  ///< kSubscribe: the topic whose answer is awaited
  model::Reason refused = model::Reason::kOk;  ///< why Attach, Subscribe or Publish failed
  model::Reason looked_up = model::Reason::kNotFound;
};

/// The records, by index.
class RequestTable {
 public:
  /// A record for a new request; nullptr when `most` are open. Its texts are stale.
  [[nodiscard]] Request* take(std::size_t most);
  /// The request is answered.
  void give(Request& request);
  /// The open request of a ticket; nullptr when it is over.
  [[nodiscard]] Request* find(std::uint32_t index, std::uint32_t generation);
  [[nodiscard]] std::size_t open() const { return requests_.size() - free_.size(); }

  /// Calls visit(Request&) for each open request.
  template <typename Visit>
  void for_each_open(Visit visit) {
    if (open() == 0) return;
    for (const auto& request : requests_) {
      if (request->open) visit(*request);
    }
  }

 private:
  std::vector<std::unique_ptr<Request>> requests_;
  std::vector<Request*> free_;
};

}  // namespace hermod::coap
