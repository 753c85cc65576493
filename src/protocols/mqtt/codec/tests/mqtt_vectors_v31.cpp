// SPDX-License-Identifier: Apache-2.0
// MQTT 3.1, where it differs from 3.1.1, and a packet or two of what does not. Its rules have no
// numbers: those of 3.1.1 stand for them.
#include "mqtt_vectors.hpp"

namespace hermod::mqtt::vectors {
namespace {

// clang-format off
constexpr WireVector kVectors31[] = {
    // CONNECT: name MQIsdp, level 3.
    valid("connect_smallest", "10 0f 0006 'MQIsdp' 03 02 0000 0001 'c'"),
    valid("connect_persistent", "10 12 0006 'MQIsdp' 03 00 003c 0004 'abcd'"),
    valid("connect_everything",
        "10 26 0006 'MQIsdp' 03 ee 000a 0002 'id' 0003 'w/t' 0003 'bye' 0004 'user' 0004 'pass'"),
    valid("connect_client_id_of_23_characters", "10 25 0006 'MQIsdp' 03 02 0000 0017 'a'*23"),
    valid("connect_client_id_of_23_characters_in_69_octets",
        "10 53 0006 'MQIsdp' 03 02 0000 0045 e2 82 ac e2 82 ac e2 82 ac e2 82 ac e2 82 ac "
        "e2 82 ac e2 82 ac e2 82 ac e2 82 ac e2 82 ac e2 82 ac e2 82 ac e2 82 ac e2 82 ac "
        "e2 82 ac e2 82 ac e2 82 ac e2 82 ac e2 82 ac e2 82 ac e2 82 ac e2 82 ac e2 82 ac"),
    loose("connect_user_name_missing", "10 0f 0006 'MQIsdp' 03 82 0000 0001 'c'"),
    loose("connect_user_name_and_password_missing", "10 0f 0006 'MQIsdp' 03 c2 0000 0001 'c'"),
    loose("connect_password_missing", "10 12 0006 'MQIsdp' 03 c2 0000 0001 'c' 0001 'u'"),
    loose("connect_reserved_flag", "10 0f 0006 'MQIsdp' 03 03 0000 0001 'c'"),
    loose("connect_will_qos_and_retain_without_will", "10 0f 0006 'MQIsdp' 03 32 0000 0001 'c'"),
    bad("connect_client_id_empty", "10 0e 0006 'MQIsdp' 03 02 0000 0000", "MQTT 3.1 §3.1", 14, 2),
    bad("connect_client_id_of_24_characters",
        "10 26 0006 'MQIsdp' 03 02 0000 0018 'a'*24", "MQTT 3.1 §3.1", 14, 2),
    bad("connect_client_id_ill_formed",
        "10 0f 0006 'MQIsdp' 03 02 0000 0001 80", "MQTT-1.5.3-1", 16),
    bad("connect_client_id_missing", "10 0c 0006 'MQIsdp' 03 02 0000", "MQTT-3.1.3-3", 14),
    bad("connect_user_name_cut_short",
        "10 12 0006 'MQIsdp' 03 82 0000 0001 'c' 0002 'u'", "MQTT-3.1.2-19", 17),
    bad("connect_password_cut_short",
        "10 13 0006 'MQIsdp' 03 c2 0000 0001 'c' 0001 'u' 00", "MQTT-3.1.2-21", 20),
    bad("connect_password_without_user_name",
        "10 12 0006 'MQIsdp' 03 42 0000 0001 'c' 0001 'p'", "MQTT-3.1.2-22", 11),
    bad("connect_will_qos_3",
        "10 14 0006 'MQIsdp' 03 1e 0000 0001 'c' 0001 'w' 0000", "MQTT-3.1.2-14", 11),
    bad("connect_octet_too_many", "10 10 0006 'MQIsdp' 03 02 0000 0001 'c' 00", "MQTT-3.1.4-1", 17),
    bad("connect_level_4", "10 0f 0006 'MQIsdp' 04 02 0000 0001 'c'", "MQTT-3.1.2-2", 10, 1),
    bad("connect_level_3_with_the_name_of_3_1_1",
        "10 0d 0004 'MQTT' 03 02 0000 0001 'c'", "MQTT-3.1.2-2", 8, 1),
    bad("connect_level_bridge_bit",
        "10 0f 0006 'MQIsdp' 83 02 0000 0001 'c'", "MQTT-3.1.2-2", 10, 1),
    bad("connect_name_longer", "10 10 0007 'MQIsdpX' 03 02 0000 0001 'c'", "MQTT-3.1.2-1", 2),

    // CONNACK: the octet of the flags is reserved and not looked at.
    valid("connack_accepted", "20 02 00 00"),
    valid("connack_not_authorized", "20 02 00 05"),
    loose("connack_reserved_octet", "20 02 ff 00"),
    bad("connack_reserved_return_code", "20 02 00 06", "MQTT 3.1.1 §3.2.2.3", 3),

    // DUP is a flag of everything that is sent again.
    valid("publish_qos_1_dup", "3a 09 0003 'a/b' 000a 'hi'"),
    valid("pubrel", "62 02 0001"),
    loose("pubrel_dup", "6a 02 0001"),
    valid("subscribe", "82 08 0001 0003 'a/b' 01"),
    loose("subscribe_dup", "8a 08 0001 0003 'a/b' 01"),
    valid("unsubscribe", "a2 07 0001 0003 'a/b'"),
    loose("unsubscribe_dup", "aa 07 0001 0003 'a/b'"),
    bad("publish_qos_0_dup", "38 07 0003 'a/b' 'hi'", "MQTT-3.3.1-2", 0),
    bad("puback_dup", "48 02 0001", "MQTT-2.2.2-2", 0),
    bad("pubrel_flags_0", "60 02 0001", "MQTT-3.6.1-1", 0),
    bad("subscribe_flags_retain", "83 08 0001 0003 'a/b' 01", "MQTT-3.8.1-1", 0),
    bad("unsubscribe_flags_0", "a0 07 0001 0003 'a/b'", "MQTT-3.10.1-1", 0),
    bad("auth", "f0 00", "MQTT 3.1.1 §2.2.1", 0),

    // SUBACK: granted QoS, no failure.
    valid("suback", "90 05 000a 00 01 02"),
    bad("suback_failure", "90 03 000a 80", "MQTT-3.9.3-2", 4),

    // What the versions share.
    valid("publish_qos_0_retained", "31 07 0003 'a/b' 'hi'"),
    valid("puback", "40 02 0001"),
    valid("unsuback", "b0 02 0001"),
    valid("pingreq", "c0 00"),
    valid("pingresp", "d0 00"),
    valid("disconnect", "e0 00"),
    loose("publish_length_with_padding", "30 87 80 00 0003 'a/b' 'hi'"),
    bad("puback_long", "40 03 0001 00", "MQTT 3.1.1 §3.4.1", 1),
    bad("disconnect_with_body", "e0 01 00", "MQTT 3.1.1 §3.14.1", 1),
};
// clang-format on

}  // namespace

std::span<const WireVector> v31() {
  return kVectors31;
}

}  // namespace hermod::mqtt::vectors
