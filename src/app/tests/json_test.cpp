// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "text/json.hpp"

namespace hermod::app {
namespace {

std::string quoted(std::string_view text) {
  std::string out = ">";
  append_json_string(out, text);
  return out;
}

/// The compact form, or "no".
std::string compact(std::string_view text) {
  std::string out = ">";
  if (!append_compact_json(out, text)) return out == ">" ? "no" : "rest: " + out;
  return out.substr(1);
}

TEST(Json, StringsAreEscapedAsMosquittoDoes) {
  EXPECT_EQ(quoted("34.5"), R"(>"34.5")");
  EXPECT_EQ(quoted("a\"b\\c/"), R"(>"a\"b\\c/")");
  EXPECT_EQ(quoted("\b\f\n\r\t\x01\x1f"), R"(>"\b\f\n\r\t\u0001\u001f")");
  EXPECT_EQ(quoted("\xc3\xa9\xff"), ">\"\xc3\xa9\xff\"");
  EXPECT_EQ(quoted(std::string_view("\0", 1)), R"(>"\u0000")");
}

TEST(Json, ValuesAreCopiedWithoutTheBlanks) {
  EXPECT_EQ(compact(" 34.50 "), "34.50");
  EXPECT_EQ(compact("-0"), "-0");
  EXPECT_EQ(compact("1e5"), "1e5");
  EXPECT_EQ(compact("1.5E-07"), "1.5E-07");
  EXPECT_EQ(compact("[ ]"), "[]");
  EXPECT_EQ(compact("{ }"), "{}");
  EXPECT_EQ(compact("{ \"a b\" : [ 1 , true , null , \"x \\u00e9\\n\" ] ,\n\"c\":{\"d\":false}}"),
            R"({"a b":[1,true,null,"x \u00e9\n"],"c":{"d":false}})");
}

TEST(Json, WhatIsNotJsonIsRefused) {
  for (const char* text :
       {"",        " ",        "hello", "tru",        "truex", "01",      "1.",
        ".5",      "-",        "+1",    "1e",         "[1,]",  "[1 2]",   "[",
        "{\"a\"}", "{\"a\":}", "{a:1}", "{\"a\":1,}", "\"a",   "\"\\x\"", "\"\\u12g4\"",
        "\"\t\"",  "1 2",      "nul",   "\"\\"}) {
    EXPECT_EQ(compact(text), "no") << text;
  }
  EXPECT_EQ(compact(std::string_view("1\0", 2)), "no");
}

TEST(Json, NestingHasALimit) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_EQ(compact(nested(256)), nested(256));
  EXPECT_EQ(compact(nested(257)), "no");
  EXPECT_EQ(compact(std::string(1'000'000, '[')), "no");
}

TEST(Json, PrettyIsLaidOutAsMosquittoDoes) {
  const auto pretty = [](std::string_view text) {
    std::string out;
    append_pretty_json(out, text);
    return out;
  };
  EXPECT_EQ(pretty("1"), "1");
  EXPECT_EQ(pretty("[]"), "[]");
  EXPECT_EQ(pretty("{}"), "{\n}");
  EXPECT_EQ(pretty(R"({"a":"{,:]\"\\","b":[1,{"x":{}},"s"],"c":{"d":null}})"),
            "{\n\t\"a\":\t\"{,:]\\\"\\\\\",\n"
            "\t\"b\":\t[1, {\n\t\t\t\"x\":\t{\n\t\t\t}\n\t\t}, \"s\"],\n"
            "\t\"c\":\t{\n\t\t\"d\":\tnull\n\t}\n}");
}

}  // namespace
}  // namespace hermod::app
