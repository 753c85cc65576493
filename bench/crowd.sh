#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Many clients at once: every message to every subscriber, once and in order, with one shard and
# with two. Counts decide, not times. ./dev crowd calls it.
#
# In fan-in all publishers together are no more ahead of the one subscriber than its queue may hold
# (max_queued_messages, 10,000): beyond that messages are dropped, as they should be.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

hermod=${HERMOD:-build/release/hermod}
clients=${1:-10000}  # each takes a file descriptor of the broker and one of the load generator
half=$((clients / 2))
others=$((clients - 1))

missed=0
for threads in 1 2; do
  server="$hermod serve --ephemeral -c bench/threads-$threads.conf -p {port} --coap-port {port}"
  for qos in 0 1 2; do
    for flow in \
      "fan-out --publishers 1 --subscribers $others -W 16 --messages 20" \
      "fan-in --publishers $others --subscribers 1 -W 1 --messages 20" \
      "pairs --publishers $half --subscribers $half -W 16 --messages 40"; do
      printf '\nthreads %s, %s clients, QoS %s: %s\n' "$threads" "$clients" "$qos" "$flow"
      # shellcheck disable=SC2086  # the flow is several words
      "$hermod" bench $flow -q "$qos" --drain 30 --spawn "$server" || missed=$((missed + 1))
    done
  done
done
if ((missed > 0)); then
  printf '\ncrowd: %d of 18 flows lost, repeated or reordered something\n' "$missed"
  exit 1
fi
printf '\ncrowd: nothing lost, repeated or reordered\n'
