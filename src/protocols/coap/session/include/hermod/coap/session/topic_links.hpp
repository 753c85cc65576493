// SPDX-License-Identifier: Apache-2.0
// Lists of links to topics (RFC 6690), made from pages of topics: what a request asked for, and the
// text of its answer as far as it goes. Knows no exchange and sends nothing.
//
//   GET /.well-known/core            the collection, topics' data, declared topics' configurations
//   GET /ps                          topics' configurations, their attributes left out: they follow
//                                    from the collection's resource type (pub-sub draft §2.4.1)
//   GET /ps?rt=core.ps.data          topics' data, as above (draft §2.3.4)
//   FETCH /ps                        configurations of topics that have some properties (§2.4.2)
//
// Every list comes in pages (as RFC 9176 §6.3 has them): `count` links from `page` times `count`
// on. Where there are more, the last link has rel="next" and is that of the next page.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/base/bytes.hpp"
#include "hermod/coap/codec/link_format.hpp"
#include "hermod/coap/session/request_options.hpp"
#include "hermod/model/topic_properties.hpp"

namespace hermod::coap {

class TopicLinks {
 public:
  /// Links of a page when the request does not say, and at most.
  static constexpr std::uint32_t kCountUsual = 256;
  static constexpr std::uint32_t kCountMost = 4096;

  enum class Kind : std::uint8_t { kDiscovery, kCollection };

  /// What a request asks for. Copies its arguments; `refusal()` says what is wrong with them.
  TopicLinks(Kind kind, std::span<const std::string_view> query);
  /// Only topics that have these properties, as application/core-pubsub+cbor. `filter` has been
  /// read without an error before.
  void require(Bytes filter);

  [[nodiscard]] const std::optional<Refusal>& refusal() const { return refusal_; }

  /// Takes the next topics of the list in. False when no more are needed.
  bool add(std::span<const model::TopicEntry> topics);
  /// All topics have been taken in.
  [[nodiscard]] const std::string& text() const { return text_; }
  /// Where the topics that follow begin.
  std::string after;

 private:
  void add_collection();
  void add_topic(const model::TopicEntry& topic);
  void offer(const Link& link);
  [[nodiscard]] std::string next_page() const;

  Kind kind_;
  std::vector<std::string> filters_;
  std::vector<std::string_view> filter_views_;
  std::vector<std::uint8_t> required_;
  std::uint32_t page_ = 0;
  std::uint32_t count_ = kCountUsual;
  std::uint64_t skip_ = 0;   // links before the page
  std::uint32_t given_ = 0;  // links in the text
  bool with_attributes_ = true;
  bool of_data_ = true;
  bool of_configurations_ = true;
  bool full_ = false;
  std::optional<Refusal> refusal_;
  std::string text_;
  LinkWriter writer_{text_};
};

}  // namespace hermod::coap
