// SPDX-License-Identifier: Apache-2.0
// Where clients are sent that this server cannot serve (MQTT 5.0 §4.11, §3.2.2.3.16, §3.14.2.2.5).
#include "hermod/mqtt/session/advice.hpp"
#include "peers.hpp"

namespace hermod::mqtt {
namespace {

using session::Attach;
using wire::v5::number;
using wire::v5::Properties;
using enum PropertyId;

constexpr const char* kOther = "other.example:1884";

auto with_reference(bool moved = false) {
  return limits_with([moved](auto& limits) {
    limits.server_reference = kOther;
    limits.server_moved = moved;
  });
}

const Properties kReference{wire::v5::text(kServerReference, kOther)};

TEST(Mqtt5, Section_4_11_a_full_server_names_another_one) {
  for (const Reason reason : {Reason::kQuotaExceeded, Reason::kUnavailable, Reason::kShutdown}) {
    ServerPeer peer(with_reference());
    peer.opens().sends(wire::v5::connect());
    peer.answers(peer.effect<Attach>().ticket, reason);
    peer.expects(wire::v5::connack(ReasonCode::kUseAnotherServer, kReference));
    peer.expects_close(reason).expects_nothing();
  }
}

TEST(Mqtt5, Section_4_11_who_is_refused_for_a_reason_of_its_own_is_sent_nowhere) {
  for (const Reason reason : {Reason::kBadCredentials, Reason::kNotAuthorized, Reason::kBadName}) {
    ServerPeer peer(with_reference());
    peer.opens().sends(wire::v5::connect());
    peer.answers(peer.effect<Attach>().ticket, reason);
    peer.expects(wire::v5::connack(to_connect_code(reason))).expects_close(reason);
  }
}

TEST(Mqtt5, Section_4_11_a_server_that_goes_down_names_another_one) {
  ServerPeer peer(with_reference());
  peer.connects_v5().ends(Reason::kShutdown);
  peer.expects(wire::v5::disconnect(ReasonCode::kUseAnotherServer, kReference));
  ServerPeer slow(with_reference());
  slow.connects_v5().ends(Reason::kQuotaExceeded);  // its own fault: no other server would help
  slow.expects(wire::v5::disconnect(ReasonCode::kQuotaExceeded));
}

TEST(Mqtt5, Section_4_11_a_server_that_has_moved_takes_nobody) {
  ServerPeer peer(with_reference(true));
  peer.opens().sends(wire::v5::connect({}, {number(kRequestProblemInformation, 1)}));
  const auto code = ReasonCode::kServerMoved;
  peer.expects(wire::v5::connack(
      code, {kReference[0], wire::v5::text(kReasonString, advice(code, PacketType::kConnack))}));
  peer.expects_close(Reason::kUnavailable).expects_nothing();
  ServerPeer older(with_reference(true));
  older.opens().sends(wire::connect());
  older.expects(wire::connack(3)).expects_close(Reason::kUnavailable).expects_nothing();
}

TEST(Mqtt5, Section_4_11_without_a_reference_the_codes_say_what_is_the_matter) {
  ServerPeer peer;
  peer.connects_v5().ends(Reason::kShutdown);
  peer.expects(wire::v5::disconnect(ReasonCode::kServerShuttingDown));
  ServerPeer moved(limits_with([](auto& limits) { limits.server_moved = true; }));
  moved.opens().sends(wire::v5::connect());
  moved.expects(wire::v5::connack(ReasonCode::kServerMoved)).expects_close(Reason::kUnavailable);
}

TEST(Mqtt5, MQTT_3_1_2_24_a_reference_too_large_for_the_client_is_left_out) {
  ServerPeer peer(with_reference());
  peer.opens().sends(wire::v5::connect({}, {number(kMaximumPacketSize, 20)}));
  peer.answers(peer.effect<Attach>().ticket, Reason::kQuotaExceeded);
  peer.expects(wire::v5::connack(ReasonCode::kUseAnotherServer));
}

}  // namespace
}  // namespace hermod::mqtt
