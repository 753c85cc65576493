// SPDX-License-Identifier: Apache-2.0
// The resources of the ETSI CoAP plugtests (TD_COAP_CORE, _LINK, _BLOCK, _OBS), one tree that all
// peers share. Knows no message, no peer and no time: a request comes whole, an answer is a value.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/coap/session/request_options.hpp"
#include "hermod/coap/session/response.hpp"

namespace plugtest {

/// How observers are told.
enum class Notify : std::uint8_t { kNever, kNonConfirmable, kConfirmable };

/// What there is at a path.
struct Resource {
  // Said in /.well-known/core (RFC 6690 §3).
  std::string_view title;
  std::string_view resource_type;  ///< rt
  std::string_view interface;      ///< if
  std::string_view formats;        ///< ct, where there is more than one
  bool says_size = false;          ///< sz
  bool listed = true;

  std::string_view methods;  ///< of "GET POST PUT DELETE"
  Notify notify = Notify::kNever;
  bool slow = false;  ///< the answer takes its time: it goes separately (RFC 7252 §5.2.2)

  // Its state.
  bool present = true;
  std::string payload;
  std::optional<hermod::coap::ContentFormat> format = hermod::coap::ContentFormat::kTextPlain;
  std::uint64_t version = 0;  ///< greater than any before
  bool was_put = false;       ///< it does not count any more, and repeats what it was given
};

/// A request, borrowed for the call.
struct Ask {
  hermod::coap::Code method;
  const hermod::coap::RequestOptions& options;
  std::string_view payload;
};

/// What a request is answered. Owns what it says.
struct Answer {
  hermod::coap::Code code;
  std::string payload;
  std::optional<hermod::coap::ContentFormat> format;
  hermod::coap::EntityTag etag;
  std::vector<std::string> location_path;
  std::vector<std::string> location_query;
};

class Tree {
 public:
  /// Resources that POST to /large-create has made, at most: the oldest goes.
  static constexpr std::size_t kCreatedMax = 8;

  /// ETags differ from those of another start when `first_version` does; at least 1.
  explicit Tree(std::uint64_t first_version);

  /// Does what is asked.
  [[nodiscard]] Answer ask(const Ask& request);
  /// What is there; nullptr when nothing is.
  [[nodiscard]] const Resource* find(std::string_view path) const;
  /// The resources with Notify move on: they count, or repeat what was put; a deleted one is back.
  void tick();
  /// Paths whose state is another one since the last call; an observed one may be gone.
  [[nodiscard]] std::vector<std::string> take_changes();

 private:
  [[nodiscard]] Answer get(const std::string& path, const Resource& there, const Ask& request);
  [[nodiscard]] Answer put(const std::string& path, const Ask& request);
  [[nodiscard]] Answer post(const std::string& path, const Ask& request);
  [[nodiscard]] Answer discover(const Ask& request) const;
  /// Gives a resource a state.
  Resource& set(const std::string& path, std::string_view payload,
                std::optional<hermod::coap::ContentFormat> format);
  void count(Resource& resource, std::string_view path);

  std::map<std::string, Resource, std::less<>> resources_;
  std::vector<std::string> created_;
  std::vector<std::string> changes_;
  std::uint64_t version_;
  std::uint64_t ticks_ = 0;
};

/// Names the state that a resource has.
[[nodiscard]] hermod::coap::EntityTag tag_of(const Resource& resource);
/// "/a/b" of its segments.
[[nodiscard]] std::string path_of(const hermod::coap::RequestOptions& options);

/// The tree as it is in the beginning (resources.cpp).
[[nodiscard]] std::map<std::string, Resource, std::less<>> plugtest_resources();
/// About so many octets in numbered lines, so that a gap or a wrong order is seen.
[[nodiscard]] std::string lines(std::string_view word, std::size_t octets);

}  // namespace plugtest
