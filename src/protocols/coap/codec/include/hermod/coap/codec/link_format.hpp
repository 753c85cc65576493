// SPDX-License-Identifier: Apache-2.0
// The CoRE Link Format (RFC 6690 §2, application/link-format): written, read, and filtered by the
// query of a discovery (§4.1). Knows neither resources nor which links exist.
//
//   link-value-list = [ link-value *[ "," link-value ]]
//   link-value      = "<" URI-Reference ">" *( ";" name [ "=" ( ptoken / quoted-string ) ] )
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hermod::coap {

/// One attribute of a link. Borrows.
struct LinkAttribute {
  std::string_view name;
  /// Without the quotes around it; with the backslashes in it when `escaped`.
  std::string_view value;
  bool escaped = false;   ///< `value` has quoted-pairs (RFC 2616 §2.2): see text()
  bool has_value = true;  ///< false: a flag, as "obs"

  /// The value itself.
  [[nodiscard]] std::string text() const;
};

/// A link as it is read, or is to be written and filtered. Borrows.
/// Example: const LinkAttribute attributes[] = {{"rt", "core.ps.data"}, {"ct", "0"}};
///          const Link link{"/ps/data/a", attributes};
struct Link {
  std::string_view target;  ///< the URI-reference as it stands between the angle brackets
  std::span<const LinkAttribute> attributes;

  /// The first attribute of this name, nullptr when there is none: later ones do not count
  /// (RFC 5988 §5.3).
  [[nodiscard]] const LinkAttribute* find(std::string_view name) const;
};

// --- writing ---

/// Appends links to a text, with what stands between them.
/// Example: LinkWriter links(out); links.link("/ps/data/a"); links.text("rt", "core.ps.data");
///          links.number("ct", 0); links.flag("obs");
class LinkWriter {
 public:
  /// `out` outlives the writer; the first link goes behind what it holds, without a comma.
  explicit LinkWriter(std::string& out) : out_(out) {}

  /// Begins a link. Octets that a URI-reference cannot hold are percent-encoded; percent-encodings
  /// stay as they are (append_segment() of uri.hpp makes them of a path's segments).
  void link(std::string_view target);
  /// `name="value"`, escaped. Names have the octets of a parmname (RFC 5987 §3.2.1), here and
  /// below.
  void text(std::string_view name, std::string_view value);
  /// `name=value`.
  void number(std::string_view name, std::uint64_t value);
  /// `name`.
  void flag(std::string_view name);
  /// All of a link; digits in `sz` and `ct` go without quotes, other values with them.
  void write(const Link& link);

 private:
  std::string& out_;
  bool first_ = true;
};

// --- reading ---

/// What is wrong with a text, for people.
struct LinkError {
  std::size_t offset = 0;   ///< octet of the text
  const char* reason = "";  ///< what is wrong and what was expected; a literal
};

/// Reads a list of links one by one and allocates nothing. Tolerates white space between its parts,
/// as the conversion of an HTTP header leaves it (RFC 6690 §2), and any attribute in any form.
/// Example: LinkReader reader(text);
///          for (auto link = reader.next(); link && *link; link = reader.next()) use(**link);
class LinkReader {
 public:
  /// Attributes of one link at most.
  static constexpr std::size_t kAttributesMax = 32;

  explicit LinkReader(std::string_view text) : text_(text) {}

  /// The next link, whose attributes live until the next call; nothing at the end. After an error
  /// the same error again.
  [[nodiscard]] std::expected<std::optional<Link>, LinkError> next();

 private:
  using Step = std::expected<void, LinkError>;

  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
  [[nodiscard]] bool take(char c);
  void skip_white();
  Step read_separator();
  Step read_target(Link& link);
  Step read_attribute();
  Step read_value(LinkAttribute& attribute);
  Step read_quoted(LinkAttribute& attribute);
  std::unexpected<LinkError> fail(std::size_t offset, const char* reason);

  std::string_view text_;
  std::size_t at_ = 0;
  bool first_ = true;
  std::optional<LinkError> error_;
  std::size_t count_ = 0;
  std::array<LinkAttribute, kAttributesMax> attributes_;
};

// --- filtering ---

/// Whether a link matches a query argument (RFC 6690 §4.1), "name=value" as a Uri-Query option has
/// it, percent-decoded: the attribute exists and equals the value, bit by bit, or begins with it
/// when the value ends in '*'. "href" is the target as it stands. Each value of rt, if, rel, rev
/// and ct counts for itself. A name alone asks whether the attribute exists.
[[nodiscard]] bool matches(const Link& link, std::string_view query);

/// Whether a link matches every one of them.
[[nodiscard]] bool matches_all(const Link& link, std::span<const std::string_view> queries);

}  // namespace hermod::coap
