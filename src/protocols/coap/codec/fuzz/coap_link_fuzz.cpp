// SPDX-License-Identifier: Apache-2.0
// A query, a line feed and a text of links. Whatever comes: the reader reads nothing outside the
// text; what it yields is written so that it is read as the same; and a link matches the queries
// that its own attributes spell.
#include <cstdint>
#include <string>
#include <vector>

#include "hermod/base/assert.hpp"
#include "hermod/base/bytes.hpp"
#include "hermod/coap/codec/link_format.hpp"

namespace {

using namespace hermod;
using namespace hermod::coap;

// A link that outlives its reader. Values are resolved.
struct KeptLink {
  std::string target;
  struct Attribute {
    std::string name;
    std::string value;
    bool has_value = false;
    bool operator==(const Attribute&) const = default;
  };
  std::vector<Attribute> attributes;
  bool operator==(const KeptLink&) const = default;
};

KeptLink keep(const Link& link) {
  KeptLink out{.target = std::string(link.target), .attributes = {}};
  for (const LinkAttribute& attribute : link.attributes) {
    out.attributes.push_back({std::string(attribute.name), attribute.text(), attribute.has_value});
  }
  return out;
}

// A link matches what it says of itself, whole and by its beginning.
void check_queries(const Link& link) {
  HERMOD_ASSERT(matches(link, "href=*"));
  for (const LinkAttribute& attribute : link.attributes) {
    if (attribute.name == "href") continue;  // asks for the target
    const std::string name(attribute.name);
    HERMOD_ASSERT(matches(link, name) && matches(link, name + "=*"));
    const std::string value = attribute.text();
    const std::string first = value.substr(0, value.find(' '));
    if (first.empty()) continue;
    HERMOD_ASSERT(matches(link, name + '=' + first.substr(0, first.size() / 2) + '*'));
    const bool is_list =
        name == "rt" || name == "if" || name == "rel" || name == "rev" || name == "ct";
    const std::string& whole = is_list ? first : value;
    if (!whole.ends_with('*')) HERMOD_ASSERT(matches(link, name + '=' + whole));
  }
}

std::vector<KeptLink> read(std::string_view text, std::string_view query, std::string* written) {
  std::vector<KeptLink> links;
  LinkReader reader(text);
  std::string out;
  LinkWriter writer(out);
  auto link = reader.next();
  for (; link && *link; link = reader.next()) {
    check_queries(**link);
    (void)matches(**link, query);
    links.push_back(keep(**link));
    writer.write(**link);
  }
  if (!link) {
    HERMOD_ASSERT(link.error().offset <= text.size());
    HERMOD_ASSERT(reader.next().error().offset == link.error().offset);
  }
  if (written != nullptr) *written = std::move(out);
  return links;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = as_text({data, size});
  const std::string_view query = input.substr(0, input.find('\n'));
  const std::string_view text =
      query.size() < input.size() ? input.substr(query.size() + 1) : input;
  std::string once;
  std::vector<KeptLink> links = read(text, query, &once);
  std::string twice;
  const std::vector<KeptLink> again = read(once, query, &twice);
  HERMOD_ASSERT(once == twice && again.size() == links.size());
  for (std::size_t i = 0; i < links.size(); ++i) {
    links[i].target = again[i].target;  // percent-encoded now
    HERMOD_ASSERT(again[i] == links[i]);
  }
  return 0;
}
