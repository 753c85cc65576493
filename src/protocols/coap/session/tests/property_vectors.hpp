// SPDX-License-Identifier: Apache-2.0
// Maps of topic properties and what is wrong with others. The fuzz corpus is made of them.
#pragma once

#include <string_view>

namespace hermod::coap::test {

struct PropertyVector {
  std::string_view octets;  // testkit notation, in the form that is written
  std::string_view diagnostic;
};

struct BadPropertyVector {
  std::string_view octets;  // testkit notation
  std::string_view reason;
};

inline constexpr PropertyVector kProperties[] = {
    {"a0", "{}"},
    // draft-ietf-core-coap-pubsub-21, Creating a Topic, Getting a topic, Updating with iPATCH
    {"a2 00 72 'living-room-sensor' 02 6c 'core.ps.data'",
     "{0: \"living-room-sensor\", 2: \"core.ps.data\"}"},
    {"a7 00 72 'living-room-sensor' 01 70 '/ps/data/1bd0d6d' 02 6c 'core.ps.data' 03 1870 "
     "04 6b 'temperature' 05 c11a642b653f 06 1864",
     "{0: \"living-room-sensor\", 1: \"/ps/data/1bd0d6d\", 2: \"core.ps.data\", 3: 112, "
     "4: \"temperature\", 5: 1(1680565567), 6: 100}"},
    {"a2 05 c11a65dfc4ff 06 05", "{5: 1(1709163775), 6: 5}"},
    {"a2 03 183c 08 4180", "{3: 60, 8: h'80'}"},
    {"a4 00 60 03 19ffff 06 00 07 01", "{0: \"\", 3: 65535, 6: 0, 7: 1}"},
    {"a1 05 c120", "{5: 1(-1)}"},
    {"a1 05 c11b7fffffffffffffff", "{5: 1(9223372036854775807)}"},
    {"a1 05 c13b7fffffffffffffff", "{5: 1(-9223372036854775808)}"},
    {"a2 06 1bffffffffffffffff 07 1bffffffffffffffff",
     "{6: 18446744073709551615, 7: 18446744073709551615}"},
};

inline constexpr BadPropertyVector kBadProperties[] = {
    {"", "not well-formed CBOR: an item is missing at the end"},
    {"a1", "not well-formed CBOR: the array or map goes past the end"},
    {"bf00", "not well-formed CBOR: an item is missing at the end"},
    {"bf00ff", "not well-formed CBOR: a key of the map has no value"},
    {"a1 00 61ff", "not well-formed CBOR: the text is not UTF-8"},
    {"a0 00", "not well-formed CBOR: there are octets behind the item"},
    {"80", "the properties are not a CBOR map"},
    {"d9d9f7a0", "the properties are not a CBOR map"},
    {"a1 09 00", "there is no property with key 9"},
    {"a1 1bffffffffffffffff 00", "there is no property with key 18446744073709551615"},
    {"a1 20 00", "there is no property with key -1-0"},
    {"a1 61 '0' 00", "a key is no integer: properties are named by numbers"},
    {"a1 c100 00", "a key is no integer: properties are named by numbers"},
    {"a2 00 61 'a' 00 61 'a'", "topic-name (key 0) stands twice"},
    {"a2 06 01 06 01", "max-subscribers (key 6) stands twice"},
    {"a1 00 41 'a'", "topic-name (key 0) is no text string"},
    {"a1 00 7f 61 'a' ff", "topic-name (key 0) comes in chunks: send the string in one piece"},
    {"a1 01 00", "topic-data (key 1) is no text string"},
    {"a1 02 f6", "resource-type (key 2) is no text string"},
    {"a1 02 80", "resource-type (key 2) is no text string"},
    {"a1 03 61 '0'", "topic-content-format (key 3) is no unsigned integer of at most 65535"},
    {"a1 03 20", "topic-content-format (key 3) is no unsigned integer of at most 65535"},
    {"a1 03 1a00010000", "topic-content-format (key 3) is no unsigned integer of at most 65535"},
    {"a1 03 f93c00", "topic-content-format (key 3) is no unsigned integer of at most 65535"},
    {"a1 04 04", "topic-type (key 4) is no text string"},
    {"a1 05 00", "expiration-date (key 5) is no date: it has to be a number with tag 1"},
    {"a1 05 c074 '2013-03-21T20:04:00Z'",
     "expiration-date (key 5) is no date: it has to be a number with tag 1"},
    {"a1 05 c161 '0'",
     "expiration-date (key 5) is no date: tag 1 goes with seconds, a number in range"},
    {"a1 05 c1c100",
     "expiration-date (key 5) is no date: tag 1 goes with seconds, a number in range"},
    {"a1 05 c11b8000000000000000",
     "expiration-date (key 5) is no date: tag 1 goes with seconds, a number in range"},
    {"a1 05 c13b8000000000000000",
     "expiration-date (key 5) is no date: tag 1 goes with seconds, a number in range"},
    {"a1 05 c1f97e00",
     "expiration-date (key 5) is no date: tag 1 goes with seconds, a number in range"},
    {"a1 05 c1f97c00",
     "expiration-date (key 5) is no date: tag 1 goes with seconds, a number in range"},
    {"a1 05 c1fb43e0000000000000",
     "expiration-date (key 5) is no date: tag 1 goes with seconds, a number in range"},
    {"a1 06 20", "max-subscribers (key 6) is no unsigned integer"},
    {"a1 06 f5", "max-subscribers (key 6) is no unsigned integer"},
    {"a1 07 00", "observer-check (key 7) is 0: it has to be above"},
    {"a1 07 20", "observer-check (key 7) is no unsigned integer"},
    {"a2 03 00 08 61 'a'", "initialize (key 8) is no byte string"},
    {"a2 03 00 08 5f 41 'a' ff",
     "initialize (key 8) comes in chunks: send the string in one piece"},
    {"a1 08 4180", "initialize (key 8) needs topic-content-format (key 3), which is missing"},
};

}  // namespace hermod::coap::test
