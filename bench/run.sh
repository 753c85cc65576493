#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Measures Hermod beside Debian's mosquitto and libcoap's coap-server, in interleaved runs, one
# core for the server and another for the load. ./dev bench calls it; bench/README.md says how to
# read it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
  cat <<'TEXT'
./dev bench [options] [ROW...]
  gate (default)   the rows with a gate; the exit status is 1 when one is missed
  more             the rows without a gate
  NAME             one row: fan-out-q0, fan-in-q0, ..., idle, connect, coap-get, ...
  --quick          one short run each: to see that everything works
  --runs N         interleaved runs of each row (5)
  --json DIR       one JSON file a row
Environment: HERMOD, MOSQUITTO, COAP_SERVER: the programs; IDLE_CLIENTS: how many (10000).
TEXT
}

hermod=${HERMOD:-build/release/hermod}
mosquitto=${MOSQUITTO:-$(command -v mosquitto || echo /usr/sbin/mosquitto)}
coap_server=${COAP_SERVER:-coap-server-notls}
runs=5
times=(--warmup 0.5 --duration 2)
json_dir=
rows=()

gate=(fan-out-q0 fan-in-q0 fan-in-q1 fan-in-q1-lossless pairs-q1 idle coap-get)
more=(fan-out-q1 fan-out-q2 fan-in-q2-lossless pairs-q0 pairs-q2 connect latency-q0 latency-q1
  coap-put coap-observe)

while (($# > 0)); do
  case $1 in
    --quick) runs=1 times=(--warmup 0.2 --duration 0.5) ;;
    --runs) runs=$2 && shift ;;
    --json) json_dir=$2 && shift ;;
    -h | --help) usage && exit 0 ;;
    gate) rows+=("${gate[@]}") ;;
    more) rows+=("${more[@]}") ;;
    *) rows+=("$1") ;;
  esac
  shift
done
((${#rows[@]} > 0)) || rows=("${gate[@]}")

# The server on the first processor, the load on the second.
pins=()
if (($(nproc) > 1)); then pins=(--server-cpu 0 --cpu 1); fi

ours="$hermod serve -c bench/threads-1.conf -p {port} --coap-port {port}"
defaults="$mosquitto -p {port}"
no_queue_limit="$mosquitto -c bench/mosquitto.conf -p {port}"

compare() {  # OPTIONS...
  local out=(--repeat "$runs" "${pins[@]}" --a "$ours" --a-name hermod)
  if [[ -n $json_dir ]]; then
    mkdir -p "$json_dir"
    "$hermod" bench compare "${out[@]}" --json "$@" >"$json_dir/$row.json"
  else
    "$hermod" bench compare "${out[@]}" "$@"
  fi
}
mqtt() { compare --b "$defaults" --b-name mosquitto --inflight 20 "${times[@]}" "$@"; }
coap() {
  compare --b "$coap_server -A 127.0.0.1 -p {port}" --b-name libcoap "${times[@]}" \
    --a-url coap://127.0.0.1 "$@"
}

measure() {  # ROW
  case $1 in
    fan-out-q0) mqtt fan-out --subscribers 100 -W 256 -q 0 --at-least 20 ;;
    fan-out-q[12]) mqtt fan-out --subscribers 100 -W 256 -q "${1: -1}" ;;
    fan-in-q[01]) mqtt fan-in --publishers 50 -W 64 -q "${1: -1}" --at-least 7 ;;
    # With its default limit of 1,000 queued messages mosquitto drops here, and waits for what is
    # lost cost it nothing and gain it nothing: so without it, too.
    fan-in-q[12]-lossless)
      compare --b "$no_queue_limit" --b-name 'mosquitto without a queue limit' --inflight 20 \
        "${times[@]}" fan-in --publishers 50 -W 64 -q "${1:8:1}" --at-least 7
      ;;
    pairs-q1) mqtt pairs --publishers 50 -W 64 -q 1 --at-least 9 ;;
    pairs-q[02]) mqtt pairs --publishers 50 -W 64 -q "${1: -1}" ;;
    idle)
      compare --b "$defaults" --b-name mosquitto --warmup 0.5 --duration 0.5 \
        idle -n "${IDLE_CLIENTS:-10000}" --at-most 700
      ;;
    connect) mqtt connect -n 50 ;;
    latency-q[01]) mqtt latency --publishers 50 --rate 5000 -q "${1: -1}" ;;
    coap-get) coap coap-get -n 8 -W 16 --b-url coap://127.0.0.1/time --at-least 1.5 ;;
    coap-put) coap coap-put -n 8 -W 16 --b-url coap://127.0.0.1/example_data ;;
    coap-observe) coap coap-observe -n 100 -W 1 --b-url coap://127.0.0.1/example_data ;;
    *) printf 'bench: there is no row %s; see --help\n' "$1" >&2 && return 64 ;;
  esac
}

missed=0
for row in "${rows[@]}"; do
  status=0
  measure "$row" || status=$?
  case $status in
    0) ;;
    2 | 3) missed=$((missed + 1)) ;;
    *) exit "$status" ;;
  esac
done
if ((missed > 0)); then
  printf 'bench: %d of %d rows missed what is wanted\n' "$missed" "${#rows[@]}"
  exit 1
fi
