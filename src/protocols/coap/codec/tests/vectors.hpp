// SPDX-License-Identifier: Apache-2.0
// Datagrams as data: what decodes, and what breaks which rule. The fuzz corpus is made of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hermod::coap::test {

struct ValidVector {
  std::string_view name;
  std::string_view octets;  // testkit notation
  unsigned type;
  std::string_view code;
  std::uint16_t message_id;
  std::string_view token;
  std::string_view options;  // "number:value" separated by blanks
  std::string_view payload;
};

struct MalformedVector {
  std::string_view name;
  std::string_view octets;  // testkit notation
  std::size_t offset;
  std::string_view statement;
};

inline constexpr ValidVector kValid[] = {
    // RFC 7252 Appendix A, Figure 16: GET /temperature and its piggybacked response
    {"rfc7252_a_get", "40017d34bb74656d7065726174757265", 0, "0.01", 0x7d34, "",
     "11:74656d7065726174757265", ""},
    {"rfc7252_a_content", "60457d34ff32322e332043", 2, "2.05", 0x7d34, "", "", "22.3 C"},
    // RFC 7252 Appendix A, Figure 17: with a token
    {"rfc7252_a_get_token", "41017d3520bb74656d7065726174757265", 0, "0.01", 0x7d35, "20",
     "11:74656d7065726174757265", ""},
    {"rfc7252_a_content_token", "61457d3520ff32322e332043", 2, "2.05", 0x7d35, "20", "", "22.3 C"},
    {"ping", "40000001", 0, "0.00", 1, "", "", ""},
    {"reset", "7000ffff", 3, "0.00", 0xffff, "", "", ""},
    {"empty_ack", "60000000", 2, "0.00", 0, "", "", ""},
    {"token_8", "58011234a1a2a3a4a5a6a7a8", 1, "0.01", 0x1234, "a1a2a3a4a5a6a7a8", "", ""},
    // RFC 8974 §2.1: lengths beyond 8, on both sides of each extension
    {"token_9", "49010001a1a2a3a4a5a6a7a8a9", 0, "0.01", 1, "a1a2a3a4a5a6a7a8a9", "", ""},
    {"token_12", "4c010001'k'*12 b161", 0, "0.01", 1, "'k'*12", "11:61", ""},
    {"token_13", "4d01000100'k'*13 b161", 0, "0.01", 1, "'k'*13", "11:61", ""},
    {"token_14", "6d450001 01'k'*14 ff70", 2, "2.05", 1, "'k'*14", "", "p"},
    {"token_268", "4d010001ff'k'*268", 0, "0.01", 1, "'k'*268", "", ""},
    {"token_269", "4e0100010000'k'*269 b161", 0, "0.01", 1, "'k'*269", "11:61", ""},
    {"token_1024", "5e01000102f3'k'*1024", 1, "0.01", 1, "'k'*1024", "", ""},
    {"token_of_markers", "4d01000100ff*13 b161", 0, "0.01", 1, "ff*13", "11:61", ""},
    {"get_3_segments", "42010102abcdb27073046461746103746d70", 0, "0.01", 0x0102, "abcd",
     "11:7073 11:64617461 11:746d70", ""},
    {"observe_register", "410100077760526964", 0, "0.01", 7, "77", "6: 11:6964", ""},
    {"observe_deregister", "41010008776101516f", 0, "0.01", 8, "77", "6:01 11:6f", ""},
    {"put_json", "4003000ab1741132ff7b7d", 0, "0.03", 10, "", "11:74 12:32", "{}"},
    {"notification", "51451000776203e862313c210aff33342e35", 1, "2.05", 0x1000, "77",
     "6:03e8 12:313c 14:0a", "34.5"},
    // RFC 7959 §2.2: NUM, M and SZX at their borders, and values that are no block
    {"block2_first", "40010000 d00a", 0, "0.01", 0, "", "23:", ""},
    {"block1_more", "40030000 d10e08 ff 'x'*16", 0, "0.03", 0, "", "27:08", "xxxxxxxxxxxxxxxx"},
    {"block_largest", "40010000 d30afffff6", 0, "0.01", 0, "", "23:fffff6", ""},
    {"block_size_reserved", "40010000 d10e0f", 0, "0.01", 0, "", "27:0f", ""},
    {"block_too_long", "40010000 d40a00000006", 0, "0.01", 0, "", "23:00000006", ""},
    {"block_both", "40020000 d10a06 4116 ff70", 0, "0.02", 0, "", "23:06 27:16", "p"},
    {"uint_leading_zero", "60450001d4010000003c", 2, "2.05", 1, "", "14:0000003c", ""},
    // both extensions at their borders: delta 12, 13, 268, 269
    {"delta_12", "40010000c0", 0, "0.01", 0, "", "12:", ""},
    {"delta_13", "40010000d000", 0, "0.01", 0, "", "13:", ""},
    {"delta_268", "40010000d0ff", 0, "0.01", 0, "", "268:", ""},
    {"delta_269", "40010000e00000", 0, "0.01", 0, "", "269:", ""},
    {"delta_65535", "40010000e0fef2", 0, "0.01", 0, "", "65535:", ""},
    {"length_12", "400100000c'a'*12", 0, "0.01", 0, "", "0:'a'*12", ""},
    {"length_13", "400100000d00'a'*13", 0, "0.01", 0, "", "0:'a'*13", ""},
    {"length_14", "400100001d01'a'*14", 0, "0.01", 0, "", "1:'a'*14", ""},
    {"marker_in_value", "40010000b2ffff", 0, "0.01", 0, "", "11:ffff", ""},
    {"marker_in_length", "40010000 3dff 'p'*268", 0, "0.01", 0, "", "3:'p'*268", ""},
    {"marker_in_payload", "40020000ffffff", 0, "0.02", 0, "", "", "\xff\xff"},
    {"reserved_class", "40200000", 0, "1.00", 0, "", "", ""},
    {"response_class_3", "60600000", 2, "3.00", 0, "", "", ""},
};

// coap.md's classes: lengths that go past the end, reserved values, number overflow, empty payload.
inline constexpr MalformedVector kMalformed[] = {
    {"nothing", "", 0, "RFC 7252 §3"},
    {"short_header", "400100", 3, "RFC 7252 §3"},
    {"version_0", "00010001", 0, "RFC 7252 §3"},
    {"version_2", "80010001", 0, "RFC 7252 §3"},
    {"version_3", "c0010001", 0, "RFC 7252 §3"},
    {"token_truncated", "44010001a1a2a3", 7, "RFC 7252 §3"},
    {"token_12_truncated", "4c010001'k'*11", 15, "RFC 7252 §3"},
    // a header alone that announces an extension: RIOT read it behind the datagram
    // (GHSA-p9hp-2jxm-6rqp)
    {"token_length_13_header_only", "4d010001", 4, "RFC 8974 §2.1"},
    {"token_length_14_header_only", "4e010001", 4, "RFC 8974 §2.1"},
    {"token_length_14_half", "4e01000100", 5, "RFC 8974 §2.1"},
    {"token_13_missing", "4d01000100", 5, "RFC 7252 §3"},
    {"token_13_truncated", "4d01000100'k'*12", 17, "RFC 7252 §3"},
    {"token_268_claimed", "4d010001ff'k'*13", 18, "RFC 7252 §3"},
    {"token_269_missing", "4e0100010000", 6, "RFC 7252 §3"},
    {"token_269_truncated", "4e0100010000'k'*268", 274, "RFC 7252 §3"},
    {"token_65804_claimed", "4e010001ffff'k'", 7, "RFC 7252 §3"},
    {"token_length_15", "4f010001a1a2a3a4a5a6a7a8a9aaabacadaeaf", 0, "RFC 8974 §2.1"},
    {"empty_with_extended_token", "4d00000100'k'*13", 4, "RFC 7252 §4.1"},
    {"empty_with_token", "41000001aa", 4, "RFC 7252 §4.1"},
    {"empty_with_token_length_alone", "41000001", 4, "RFC 7252 §4.1"},
    {"empty_with_option", "40000001b0", 4, "RFC 7252 §4.1"},
    {"empty_with_payload", "60000001ff61", 4, "RFC 7252 §4.1"},
    {"marker_without_payload", "40010001ff", 4, "RFC 7252 §3"},
    {"marker_without_payload_after_option", "40010001b161ff", 6, "RFC 7252 §3"},
    {"delta_reserved", "40010001f0", 4, "RFC 7252 §3.1"},
    {"delta_reserved_after_option", "40010001b161fe0000", 6, "RFC 7252 §3.1"},
    {"length_reserved", "40010001bf", 4, "RFC 7252 §3.1"},
    {"length_reserved_extended_delta", "40010001df00", 4, "RFC 7252 §3.1"},
    {"value_truncated", "40010001b36162", 4, "RFC 7252 §3.1"},
    {"delta_extension_missing", "40010001d0", 4, "RFC 7252 §3.1"},
    {"delta_extension_half", "40010001e001", 4, "RFC 7252 §3.1"},
    {"length_extension_missing", "400100010d", 4, "RFC 7252 §3.1"},
    {"length_extension_half", "400100010e00", 4, "RFC 7252 §3.1"},
    {"both_extensions_missing", "40010001ee", 4, "RFC 7252 §3.1"},
    {"length_65804_claimed", "400100010effff61", 4, "RFC 7252 §3.1"},
    {"number_65536", "40010001e0fef3", 4, "RFC 7252 §3.1"},
    {"number_overflow_by_sum", "40010001e0fef210", 7, "RFC 7252 §3.1"},
    {"number_overflow_largest", "40010001e0ffff", 4, "RFC 7252 §3.1"},
};

}  // namespace hermod::coap::test
