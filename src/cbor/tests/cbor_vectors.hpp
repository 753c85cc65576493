// SPDX-License-Identifier: Apache-2.0
// CBOR items and what they are in diagnostic notation; octets that are no item, and why. The fuzz
// corpus is made of them.
#pragma once

#include <cstddef>
#include <string_view>

namespace hermod::cbor::test {

struct ItemVector {
  std::string_view octets;  // testkit notation
  std::string_view diagnostic;
};

struct BadItemVector {
  std::string_view octets;  // testkit notation
  std::size_t offset;
  std::string_view reason;  // the beginning of it
};

// RFC 8949 Appendix A, all of it.
inline constexpr ItemVector kAppendixA[] = {
    {"00", "0"},
    {"01", "1"},
    {"0a", "10"},
    {"17", "23"},
    {"1818", "24"},
    {"1819", "25"},
    {"1864", "100"},
    {"1903e8", "1000"},
    {"1a000f4240", "1000000"},
    {"1b000000e8d4a51000", "1000000000000"},
    {"1bffffffffffffffff", "18446744073709551615"},
    {"c249010000000000000000", "2(h'010000000000000000')"},
    {"3bffffffffffffffff", "-18446744073709551616"},
    {"c349010000000000000000", "3(h'010000000000000000')"},
    {"20", "-1"},
    {"29", "-10"},
    {"3863", "-100"},
    {"3903e7", "-1000"},
    {"f90000", "0.0"},
    {"f98000", "-0.0"},
    {"f93c00", "1.0"},
    {"fb3ff199999999999a", "1.1"},
    {"f93e00", "1.5"},
    {"f97bff", "65504.0"},
    {"fa47c35000", "100000.0"},
    {"fa7f7fffff", "3.4028234663852886e+38"},
    {"fb7e37e43c8800759c", "1.0e+300"},
    {"f90001", "5.960464477539063e-08"},
    {"f90400", "6.103515625e-05"},
    {"f9c400", "-4.0"},
    {"fbc010666666666666", "-4.1"},
    {"f97c00", "Infinity"},
    {"f97e00", "NaN"},
    {"f9fc00", "-Infinity"},
    {"fa7f800000", "Infinity"},
    {"fa7fc00000", "NaN"},
    {"faff800000", "-Infinity"},
    {"fb7ff0000000000000", "Infinity"},
    {"fb7ff8000000000000", "NaN"},
    {"fbfff0000000000000", "-Infinity"},
    {"f4", "false"},
    {"f5", "true"},
    {"f6", "null"},
    {"f7", "undefined"},
    {"f0", "simple(16)"},
    {"f8ff", "simple(255)"},
    {"c074 '2013-03-21T20:04:00Z'", "0(\"2013-03-21T20:04:00Z\")"},
    {"c11a514b67b0", "1(1363896240)"},
    {"c1fb41d452d9ec200000", "1(1363896240.5)"},
    {"d74401020304", "23(h'01020304')"},
    {"d818456449455446", "24(h'6449455446')"},
    {"d82076 'http://www.example.com'", "32(\"http://www.example.com\")"},
    {"40", "h''"},
    {"4401020304", "h'01020304'"},
    {"60", "\"\""},
    {"6161", "\"a\""},
    {"6449455446", "\"IETF\""},
    {"62225c", "\"\\\"\\\\\""},
    {"62c3bc", "\"\xc3\xbc\""},
    {"63e6b0b4", "\"\xe6\xb0\xb4\""},
    {"64f0908591", "\"\xf0\x90\x85\x91\""},
    {"80", "[]"},
    {"83010203", "[1, 2, 3]"},
    {"8301820203820405", "[1, [2, 3], [4, 5]]"},
    {"98190102030405060708090a0b0c0d0e0f101112131415161718181819",
     "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25]"},
    {"a0", "{}"},
    {"a201020304", "{1: 2, 3: 4}"},
    {"a26161016162820203", "{\"a\": 1, \"b\": [2, 3]}"},
    {"826161a161626163", "[\"a\", {\"b\": \"c\"}]"},
    {"a56161614161626142616361436164614461656145",
     "{\"a\": \"A\", \"b\": \"B\", \"c\": \"C\", \"d\": \"D\", \"e\": \"E\"}"},
    {"5f42010243030405ff", "(_ h'0102', h'030405')"},
    {"7f657374726561646d696e67ff", "(_ \"strea\", \"ming\")"},
    {"9fff", "[_ ]"},
    {"9f018202039f0405ffff", "[_ 1, [2, 3], [_ 4, 5]]"},
    {"9f01820203820405ff", "[_ 1, [2, 3], [4, 5]]"},
    {"83018202039f0405ff", "[1, [2, 3], [_ 4, 5]]"},
    {"83019f0203ff820405", "[1, [_ 2, 3], [4, 5]]"},
    {"9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff",
     "[_ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, "
     "25]"},
    {"bf61610161629f0203ffff", "{_ \"a\": 1, \"b\": [_ 2, 3]}"},
    {"826161bf61626163ff", "[\"a\", {_ \"b\": \"c\"}]"},
    {"bf6346756ef563416d7421ff", "{_ \"Fun\": true, \"Amt\": -2}"},
};

// What libcbor refuses or leaves to its caller.
inline constexpr ItemVector kMoreItems[] = {
    {"d280", "18([])"},
    {"c600", "6(0)"},
    {"d400", "20(0)"},
    {"d500", "21(0)"},
    {"dbffffffffffffffff00", "18446744073709551615(0)"},
    {"c0c1c200", "0(1(2(0)))"},
    {"e0", "simple(0)"},
    {"f3", "simple(19)"},
    {"f820", "simple(32)"},
    {"1800", "0"},  // longer than need be, and well-formed
    {"bb000000000000000100f6", "{0: null}"},
    {"bfff", "{_ }"},
    {"5fff", "(_ )"},
    {"7f60ff", "(_ \"\")"},
    {"a1a080", "{{}: []}"},
    {"65 0a09 'x' 7f 00", "\"\\n\\u0009x\\u007f\\u0000\""},
    {"64c280c2a0", "\"\\u0080\xc2\xa0\""},
    {"8181818181818181818181818181818100", "[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]"},
};

inline constexpr BadItemVector kBadItems[] = {
    {"", 0, "an item is missing"},
    {"18", 0, "the item goes past the end"},
    {"19ff", 0, "the item goes past the end"},
    {"1affffff", 0, "the item goes past the end"},
    {"1bffffffffffffff", 0, "the item goes past the end"},
    {"4261", 0, "the item goes past the end"},
    {"f8", 0, "the item has a reserved form"},
    {"fbffffffffffffff", 0, "the item goes past the end"},
    // lengths that nothing could hold
    {"5bffffffffffffffff", 0, "the item goes past the end"},
    {"7bffffffffffffffff61", 0, "the item goes past the end"},
    {"7b7fffffffffffffff61", 0, "the item goes past the end"},
    {"5affffffff61", 0, "the item goes past the end"},
    {"9bffffffffffffffff", 0, "the array or map goes past the end"},
    {"bbffffffffffffffff", 0, "the array or map goes past the end"},
    {"bb8000000000000000 0000", 0, "the array or map goes past the end"},
    {"83 01 9affffffff", 2, "the array or map goes past the end"},
    {"8201", 0, "the array or map goes past the end"},
    {"a101", 0, "the array or map goes past the end"},
    {"828100", 3, "an item is missing"},
    {"a2010203", 0, "the array or map goes past the end"},
    {"9f01", 2, "an item is missing"},
    {"bf01", 2, "an item is missing"},
    {"5f", 1, "an item is missing"},
    {"c1", 1, "an item is missing"},
    {"81c1", 2, "an item is missing"},
    // reserved forms (RFC 8949 §3, §3.3)
    {"1c", 0, "the item has a reserved form"},
    {"3f", 0, "the item has a reserved form"},
    {"5d", 0, "the item has a reserved form"},
    {"df", 0, "the item has a reserved form"},
    {"fe", 0, "the item has a reserved form"},
    {"f800", 0, "the item has a reserved form"},
    {"f814", 0, "the item has a reserved form"},
    {"f81f", 0, "the item has a reserved form"},
    // breaks
    {"ff", 0, "a \"break\" stands"},
    {"81ff", 1, "a \"break\" stands"},
    {"9fc1ff", 2, "a \"break\" stands"},
    {"9f81ff", 2, "a \"break\" stands"},
    {"bf00ff", 2, "a key of the map has no value"},
    // chunks
    {"5f6161ff", 1, "a string in chunks"},
    {"7f4161ff", 1, "a string in chunks"},
    {"5f5f4100ffff", 1, "a string in chunks"},
    {"5f00ff", 1, "a string in chunks"},
    {"5fc14100ff", 1, "a string in chunks"},
    {"61ff", 0, "the text is not UTF-8"},
    {"7f61c361bcff", 1, "the text is not UTF-8"},
    {"0000", 1, "there are octets behind"},
    {"8000", 1, "there are octets behind"},
    {"8181818181818181818181818181818181 00", 16, "items are nested too deeply"},
    {"c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1 00", 16, "items are nested too deeply"},
    {"818181818181818181818181818181c181 00", 16, "items are nested too deeply"},
    {"9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f", 16, "items are nested too deeply"},
};

}  // namespace hermod::cbor::test
