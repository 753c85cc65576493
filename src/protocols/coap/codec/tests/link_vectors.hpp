// SPDX-License-Identifier: Apache-2.0
// Link-format texts: what they hold, and what is wrong with others. The fuzz corpus is made of
// them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hermod/testkit/seeds.hpp"

namespace hermod::coap::test {

struct LinkVector {
  std::string_view name;
  std::string_view text;
  std::string_view meaning;  // "target name=value name" a line, values resolved
};

struct BadLinkVector {
  std::string_view name;
  std::string_view text;
  std::size_t offset;
  std::string_view reason;  // the beginning of it
};

inline constexpr LinkVector kLinks[] = {
    {"nothing", "", ""},
    {"white_alone", " \r\n", ""},
    {"target_alone", "</>", "/\n"},
    {"target_empty", "<>", "\n"},
    // RFC 6690 §5
    {"rfc6690_5_sensors", "</sensors/temp>;if=\"sensor\",</sensors/light>;if=\"sensor\"",
     "/sensors/temp if=sensor\n/sensors/light if=sensor\n"},
    {"rfc6690_5_entry", "</sensors>;ct=40", "/sensors ct=40\n"},
    {"rfc6690_5_two_types", "</sensors/light>;rt=\"light-lux core.sen-light\";if=\"sensor\"",
     "/sensors/light rt=light-lux core.sen-light if=sensor\n"},
    {"rfc6690_5_anchors",
     "</sensors>;ct=40;title=\"Sensor Index\",\n"
     "</sensors/temp>;rt=\"temperature-c\";if=\"sensor\",\n"
     "<http://www.example.com/sensors/t123>;anchor=\"/sensors/temp\"\n"
     ";rel=\"describedby\",\n"
     "</t>;anchor=\"/sensors/temp\";rel=\"alternate\"",
     "/sensors ct=40 title=Sensor Index\n"
     "/sensors/temp rt=temperature-c if=sensor\n"
     "http://www.example.com/sensors/t123 anchor=/sensors/temp rel=describedby\n"
     "/t anchor=/sensors/temp rel=alternate\n"},
    {"rfc6690_5_firmware", "</firmware/v2.1>;rt=\"firmware\";sz=262144",
     "/firmware/v2.1 rt=firmware sz=262144\n"},
    {"separators_in_target", "</a,b;c?d=\"e>;sz=0", "/a,b;c?d=\"e sz=0\n"},
    {"separators_in_value", "</a>;title=\"x,<y>;z=1\",</b>", "/a title=x,<y>;z=1\n/b\n"},
    {"flag", "</a>;obs;ct=0", "/a obs ct=0\n"},
    {"empty_value", "</a>;title=\"\"", "/a title=\n"},
    {"quoted_pairs", "</a>;title=\"say \\\"\\\\\\\" \\a\"", "/a title=say \"\\\" a\n"},
    {"utf8", "</a>;title=\"\xc3\xa4\xe2\x82\xac\"", "/a title=\xc3\xa4\xe2\x82\xac\n"},
    {"ext_value", "</a>;title*=UTF-8''%e2%82%ac", "/a title*=UTF-8''%e2%82%ac\n"},
    {"unquoted", "</a>;rt=core.ps;x=</y>", "/a rt=core.ps x=</y>\n"},
    {"white_everywhere", " < /a > ; rt = \"b\" ; obs , </c> ", " /a  rt=b obs\n/c\n"},
    {"repeated", "</a>;rt=\"b\";rt=\"c\"", "/a rt=b rt=c\n"},
};

inline constexpr BadLinkVector kBadLinks[] = {
    {"no_bracket", "/a", 0, "a link begins with '<'"},
    {"comma_alone", ",", 0, "a link begins with '<'"},
    {"target_open", "</a>,</b", 5, "the target of this link has no closing"},
    {"target_control", "</a\x01>", 3, "a target has no control characters"},
    {"comma_last", "</a>,", 5, "a link begins with '<'"},
    {"comma_twice", "</a>,,</b>", 5, "a link begins with '<'"},
    {"no_comma", "</a></b>", 4, "a ',' or ';'"},
    {"name_missing", "</a>;", 5, "the name of an attribute"},
    {"name_missing_value", "</a>;=1", 5, "the name of an attribute"},
    {"name_quoted", "</a>;\"rt\"", 5, "the name of an attribute"},
    {"value_missing", "</a>;rt=", 8, "a value"},
    {"value_missing_semicolon", "</a>;rt=;ct=0", 8, "a value"},
    {"value_two_words", "</a>;ct=0 41", 10, "a ',' or ';'"},
    {"quote_open", "</a>;rt=\"b", 8, "the quoted value has no closing quote"},
    {"quote_escaped", "</a>;rt=\"b\\\"", 8, "the quoted value has no closing quote"},
    {"backslash_last", "</a>;rt=\"b\\", 8, "the quoted value has no closing quote"},
    {"value_control", "</a>;rt=\"b\x02\"", 10, "a control character"},
    {"text_behind_quote", "</a>;rt=\"b\"c", 11, "a ',' or ';'"},
};

// Query arguments, as Uri-Query options have them.
inline constexpr std::string_view kLinkQueries[] = {
    "",
    "=",
    "rt",
    "rt=",
    "rt=*",
    "rt=light-lux",
    "if=sens*",
    "href=/s*",
    "href=/t",
    "anchor=/s*",
    "ct=40",
    "sz=26*",
    "title=Sensor Index",
    "obs",
    "rel=alt*",
    "title=*Index",
    "foo=bar*",
};

// A seed is a query, a line feed and a text.
[[nodiscard]] inline testkit::Seeds link_seeds() {
  testkit::Seeds seeds;
  const auto add = [&](std::string name, std::string_view query, std::string_view text) {
    std::vector<std::uint8_t> seed(query.begin(), query.end());
    seed.push_back('\n');
    seed.insert(seed.end(), text.begin(), text.end());
    seeds[std::move(name)] = std::move(seed);
  };
  std::string_view example;
  for (const LinkVector& vector : kLinks) {
    add(std::string(vector.name), "rt=s*", vector.text);
    if (vector.name == "rfc6690_5_anchors") example = vector.text;
  }
  for (const BadLinkVector& vector : kBadLinks) {
    add(std::string(vector.name), "rt=*", vector.text);
  }
  for (std::size_t i = 0; i < std::size(kLinkQueries); ++i) {
    add("query_" + std::to_string(i), kLinkQueries[i], example);
  }
  return seeds;
}

}  // namespace hermod::coap::test
