// SPDX-License-Identifier: Apache-2.0
#include "options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace hermod::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Half of the runs have a network that does nothing odd in a respect, half have one that does.
void choose_network(transport::MemoryOptions& network, Rng& rng) {
  network.seed = rng.next();
  if (chance(rng, 700)) {
    network.stream_delay_max = between(rng, microseconds{50}, milliseconds{60});
    network.stream_delay_min = network.stream_delay_max / between(rng, 1, 8);
  }
  if (chance(rng, 500)) network.segment_bytes_max = between(rng, 40, 1500);
  if (chance(rng, 500)) network.partial_write_permille = static_cast<unsigned>(rng.below(300));
  if (chance(rng, 300)) network.stream_buffer_bytes = between(rng, 512, 8192);
}

// Small enough that a run reaches them.
void choose_tiny_limits(Options& out, Rng& rng) {
  core::Limits& core = out.broker.core;
  if (chance(rng, 400)) core.queue_messages_max = between(rng, 2, 40);
  if (chance(rng, 300)) core.queue_bytes_max = between(rng, 6'000, 30'000);
  if (chance(rng, 300)) core.subscriptions_max = between(rng, 1, 4);
  if (chance(rng, 300)) core.expiry_s_max = static_cast<std::uint32_t>(between(rng, 2, 20));
  broker::MailLimits& mail = out.broker.mail;
  if (chance(rng, 500)) mail.letters_max = between(rng, 1, 20);
  if (chance(rng, 300)) mail.bytes_max = between(rng, 100, 5'000);
  broker::ConnectionLimits& connections = out.broker.connections;
  if (chance(rng, 500)) {
    connections.output_soft_bytes = between(rng, 200, 4'000);
    connections.output_hard_bytes = connections.output_soft_bytes * between(rng, 1, 4);
  }
  if (chance(rng, 200)) connections.unattached_max = between(rng, 2, 6);
  if (chance(rng, 200)) connections.connections_max = out.mqtt_clients + between(rng, 6, 10);
}

void choose_load(Options& out, Rng& rng) {
  out.mqtt_clients = static_cast<unsigned>(between(rng, 3, 10));
  out.state_topics = static_cast<unsigned>(between(rng, 1, 8));
  out.event_topics = static_cast<unsigned>(between(rng, 1, 8));
  out.traffic = between(rng, seconds{5}, seconds{30});
  out.act_every = out.traffic / between(rng, 10, 60);
  out.burst_max = static_cast<unsigned>(chance(rng, 200) ? 40 : between(rng, 1, 8));
  out.keep_alive_s = static_cast<std::uint16_t>(between(rng, 3, 20));
  out.clean_permille = static_cast<unsigned>(rng.below(1001));
  out.session.inflight_max = static_cast<std::uint16_t>(chance(rng, 500) ? between(rng, 1, 5) : 20);
}

void choose_faults(Options& out, Rng& rng) {
  Weights& weights = out.weights;
  for (unsigned* weight :
       {&weights.goodbye, &weights.reset, &weights.silence, &weights.freeze, &weights.takeover}) {
    *weight = chance(rng, 300) ? 0 : static_cast<unsigned>(rng.below(6));
  }
  weights.subscribe = static_cast<unsigned>(rng.below(12));
  weights.unsubscribe = static_cast<unsigned>(rng.below(6));
  if (chance(rng, 600)) {
    out.sync_max = between(rng, milliseconds{1}, milliseconds{chance(rng, 100) ? 2'000 : 60});
    out.sync_min = out.sync_max / between(rng, 1, 10);
  }
  out.lag_permille = static_cast<unsigned>(rng.below(300));
  out.idle_turn_permille = static_cast<unsigned>(rng.below(40));
  out.stall_permille = chance(rng, 500) ? static_cast<unsigned>(rng.below(10)) : 0;
  if (chance(rng, 200)) out.pauses = static_cast<unsigned>(between(rng, 1, 3));
}

void choose_datagrams(transport::MemoryOptions& network, Rng& rng) {
  if (chance(rng, 700)) {
    network.datagram_delay_max = between(rng, microseconds{50}, milliseconds{400});
    network.datagram_delay_min = network.datagram_delay_max / between(rng, 1, 8);
  }
  if (chance(rng, 500)) network.loss_permille = static_cast<unsigned>(between(rng, 1, 250));
  if (chance(rng, 500)) network.duplicate_permille = static_cast<unsigned>(between(rng, 1, 150));
  if (chance(rng, 500)) network.reorder_permille = static_cast<unsigned>(between(rng, 1, 200));
  network.reorder_delay = between(rng, milliseconds{5}, milliseconds{800});
}

void choose_coap(Options& out, Rng& rng) {
  coap::Settings& coap = out.coap;
  const unsigned longest_ms = chance(rng, 500) ? 20 : 1'000;
  coap.ack_delay = between(rng, milliseconds{1}, milliseconds{longest_ms});
  coap.quiet = between(rng, seconds{2}, seconds{10});
  coap.unconfirmed_max = static_cast<std::uint8_t>(between(rng, 1, 15));
  coap.observe_max_age_s = static_cast<std::uint32_t>(between(rng, 60, 120));
  coap.prove_within = between(rng, seconds{20}, seconds{60});
  if (chance(rng, 300)) coap.confirm_every = between(rng, seconds{20}, seconds{120});
  if (chance(rng, 200)) coap.observations_max = between(rng, 1, 4);
  if (chance(rng, 200)) coap.observations_unproven_max = between(rng, 1, 3);
  coap.observations_unproven_max = std::min(coap.observations_unproven_max, coap.observations_max);
  if (chance(rng, 200)) coap.confirmables_waiting_max = between(rng, 1, 2);
  if (chance(rng, 200)) out.big_body_max = between(rng, 5'000, 64u << 10);
  if (chance(rng, 300)) coap.block_bytes_max = std::size_t{16} << between(rng, 0, 5);
  if (chance(rng, 500)) coap.unproven_body_max = between(rng, 100, 2'000);
  if (chance(rng, 200)) coap.amplification_max = 0;
  if (chance(rng, 200)) coap.seen_bodies_max = between(rng, 0, 2);
  if (out.cast == Cast::kCoap && chance(rng, 200)) {
    out.session.packet_bytes_max = static_cast<std::uint32_t>(between(rng, 1'100, 6'000));
  }
  CoapWeights& weights = out.coap_weights;
  for (unsigned* weight :
       {&weights.remove, &weights.cancel, &weights.forget, &weights.freeze, &weights.restart}) {
    *weight = chance(rng, 300) ? 0 : static_cast<unsigned>(rng.below(6));
  }
  out.non_permille = static_cast<unsigned>(rng.below(700));
  out.gossip_permille = chance(rng, 300) ? 0 : static_cast<unsigned>(rng.below(600));
}

void choose_kept(Options& out, Rng& rng) {
  Kept& kept = out.kept;
  kept.on = true;
  kept.down_max = between(rng, milliseconds{10}, milliseconds{3'000});
  kept.segment_octets = between(rng, 8'000, 64u << 10);
  if (chance(rng, 200)) kept.damage_permille = static_cast<unsigned>(between(rng, 300, 1000));
  kept.cleans = chance(rng, 300);
  kept.stops = static_cast<unsigned>(between(rng, 1, 4));
  if (chance(rng, 250)) kept.fills = static_cast<unsigned>(between(rng, 1, 3));
  if (chance(rng, 250)) kept.seals = 1;
  if (chance(rng, 500)) kept.mid_write_permille = static_cast<unsigned>(between(rng, 100, 600));
  if (chance(rng, 200)) {
    out.broker.core.expiry_s_max = static_cast<std::uint32_t>(between(rng, 2, 20));
  }
  broker::MailLimits& mail = out.broker.mail;
  if (chance(rng, 300)) mail.letters_max = between(rng, 1, 20);
  out.clean_permille = static_cast<unsigned>(rng.below(400));
  if (out.sync_max == Duration::zero()) out.sync_max = milliseconds{1};
  if (chance(rng, 300)) out.member_permille = static_cast<unsigned>(between(rng, 200, 800));
}

}  // namespace

Options make_options(Cast cast, std::uint64_t seed) {
  SeededRng rng(seed * 3 + static_cast<std::uint64_t>(cast));
  Options out;
  out.seed = seed;
  out.cast = cast;
  out.broker.threads = static_cast<std::uint16_t>(between(rng, 1, 4));
  choose_network(out.network, rng);
  choose_load(out, rng);
  choose_faults(out, rng);
  out.v5_permille = static_cast<unsigned>(chance(rng, 300) ? 0 : between(rng, 300, 1000));
  if (cast == Cast::kKept) {
    choose_kept(out, rng);
    return out;
  }
  if (chance(rng, 400)) out.member_permille = static_cast<unsigned>(between(rng, 200, 800));
  if (chance(rng, 400)) choose_tiny_limits(out, rng);
  if (cast != Cast::kMqtt) {
    out.coap_clients = static_cast<unsigned>(between(rng, 2, 5));
    if (cast == Cast::kCoap) out.mqtt_clients = 0;
    choose_datagrams(out.network, rng);
    choose_coap(out, rng);
  }
  return out;
}

std::string describe(const Options& options) {
  const auto ms = [](Duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
  };
  const auto& [connections, network] = std::tie(options.broker.connections, options.network);
  return fmt::format(
      "seed {}: {} shards, {} MQTT ({}/1000 with 5.0) and {} CoAP clients, {} + {} topics, {} s of "
      "traffic, "
      "keep-alive {} s\n"
      "  queue {} messages {} octets, {} subscriptions, expiry {} s, in flight {}\n"
      "  mail {} letters {} octets, output {}/{}, connections {}, unattached {}\n"
      "  stream delay {}-{} ms, segments {}, partial writes {}/1000, buffer {}\n"
      "  sync {}-{} ms, lag {}/1000, stalls {}/1000, pauses {}\n"
      "  datagram delay {}-{} ms, loss {}/1000, repeated {}/1000, held back {}/1000 by {} ms\n"
      "  CoAP: acknowledged after {} ms, quiet {} s, {} unconfirmed, Max-Age {} s, {} "
      "observations\n"
      "  bodies up to {}, blocks of {}, factor {}, unproven up to {}, packets up to {}",
      options.seed, options.broker.threads, options.mqtt_clients, options.v5_permille,
      options.coap_clients, options.state_topics, options.event_topics, ms(options.traffic) / 1000,
      options.keep_alive_s, options.broker.core.queue_messages_max,
      options.broker.core.queue_bytes_max, options.broker.core.subscriptions_max,
      options.broker.core.expiry_s_max, options.session.inflight_max,
      options.broker.mail.letters_max, options.broker.mail.bytes_max, connections.output_soft_bytes,
      connections.output_hard_bytes, connections.connections_max, connections.unattached_max,
      ms(network.stream_delay_min), ms(network.stream_delay_max), network.segment_bytes_max,
      network.partial_write_permille, network.stream_buffer_bytes, ms(options.sync_min),
      ms(options.sync_max), options.lag_permille, options.stall_permille, options.pauses,
      ms(network.datagram_delay_min), ms(network.datagram_delay_max), network.loss_permille,
      network.duplicate_permille, network.reorder_permille, ms(network.reorder_delay),
      ms(options.coap.ack_delay), ms(options.coap.quiet) / 1000, options.coap.unconfirmed_max,
      options.coap.observe_max_age_s, options.coap.observations_max, options.big_body_max,
      options.coap.block_bytes_max, options.coap.amplification_max, options.coap.unproven_body_max,
      options.session.packet_bytes_max);
}

}  // namespace hermod::sim
