#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Measures Hermod beside other brokers, in interleaved runs, one core for the server and another
# for the load. ./dev bench calls it; bench/README.md says what the rows are and how to read them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
  cat <<'TEXT'
./dev bench [options] [SET|ROW...]
  SETS
  gate (default)  everything with a bound: table, limits, scaling, coap, durable; the exit status is
                  1 when a bound is missed, 2 when a row could not be measured or Hermod lost
                  something
  table           fan-in, fan-out and pairs at QoS 0, 1 and 2, beside mosquitto
  limits          connections, memory, delays
  scaling         what more subscribers, topics, filters and cores cost
  coap            requests and notifications, beside libcoap; what more observers cost
  durable         lasting sessions with the store and without
  windows sizes subscribers topics cores delays neighbours versions groups
                  series without a bound
  all             all of these
  ROWS
  fan-in-q1, fan-out-q0-w1, pairs-q2-4096b, fan-out-q1-v5, subscribers-1000, topics-10000,
  subscriptions-10000, ...
  OPTIONS
  --quick          one short run of each, with fewer clients: to see that everything works
  --runs N         interleaved runs of each row (5)
  --list           the rows, and nothing is measured
  --json DIR       one JSON file a row (build/bench)
  --markdown FILE  the tables, which are printed in any case
Environment: HERMOD, MOSQUITTO, COAP_SERVER: the programs; MOSQUITTO2, FLASHMQ: programs that are
measured beside them, without a say in the ratio; IDLE_CLIENTS: how many (10000).
TEXT
}

hermod=${HERMOD:-build/release/hermod}
mosquitto=${MOSQUITTO:-$(command -v mosquitto || echo /usr/sbin/mosquitto)}
coap_server=${COAP_SERVER:-coap-server-notls}
runs=5
times=(--warmup 0.5 --duration 2)
quick=
list=
json_dir=build/bench
markdown=
rows=()

# --- rows ---------------------------------------------------------------------------------------

shapes=(fan-in fan-out pairs)
each() {  # SUFFIX...: prints the shapes with each of them
  local shape suffix
  for shape in "${shapes[@]}"; do
    for suffix in "$@"; do printf '%s-%s\n' "$shape" "$suffix"; done
  done
}

rows_of() {  # SET
  case $1 in
    gate) rows_of table && rows_of limits && rows_of scaling && rows_of coap && rows_of durable ;;
    table) each q0 q1 q2 ;;
    limits) printf '%s\n' connect idle latency-5000-q0 latency-5000-q1 ;;
    scaling)
      printf '%s\n' subscribers-10000 topics-1000000 filters churn \
        threads-{fan-out,pairs}-q{0,1} threads-fan-out-q1-i200
      ;;
    windows) each q{0,1,2}-w{1,16,1024} ;;
    sizes) each q{0,1}-{256,4096,65536}b ;;
    subscribers) printf '%s\n' subscribers-{1,10,1000} ;;
    topics) printf '%s\n' topics-{1000,100000} subscriptions-{10000,100000,1000000} ;;
    cores) printf '%s\n' cores-{fan-out,pairs}-q{0,1} ;;
    delays) printf '%s\n' latency-{1000,50000}-q{0,1} ;;
    neighbours) printf '%s\n' neighbour-{slow,huge,malicious}-q{0,1} ;;
    versions) each q{0,1,2}-v5 ;;
    groups) printf '%s\n' groups-q{0,1,2} ;;
    durable) printf '%s\n' durable-{fan-in,fan-out}-q1 ;;
    coap) printf '%s\n' coap-get coap-put coap-observe coap-observers-{1000,10000} ;;
    all)
      local set
      for set in gate windows sizes subscribers topics cores delays neighbours versions groups; do
        rows_of "$set"
      done
      ;;
    *) printf '%s\n' "$1" ;;
  esac
}

add_rows() { mapfile -t -O "${#rows[@]}" rows < <(rows_of "$1"); }

while (($# > 0)); do
  case $1 in
    --quick) quick=1 runs=1 times=(--warmup 0.2 --duration 0.3) ;;
    --runs) runs=$2 && shift ;;
    --list) list=1 ;;
    --json) json_dir=$2 && shift ;;
    --markdown) markdown=$2 && shift ;;
    -h | --help) usage && exit 0 ;;
    -*) printf 'bench: there is no option %s; see --help\n' "$1" >&2 && exit 64 ;;
    *) add_rows "$1" ;;
  esac
  shift
done
((${#rows[@]} > 0)) || add_rows gate
# --- servers ------------------------------------------------------------------------------------

BENCH_SCRATCH=$(mktemp -d)
export BENCH_SCRATCH
trap 'rm -rf "$BENCH_SCRATCH"' EXIT

# The server on the first processor, the load on the second.
pins=()
both=()
if (($(nproc) > 1)); then
  pins=(--server-cpu 0 --cpu 1)
  both=(--server-cpu '0,1')
fi

serve() {
  printf '%s serve --ephemeral -c bench/%s.conf -p {port} --coap-port {port}' "$hermod" "$1"
}
ours=$(serve threads-1)
null="$hermod bench null -p {port}"

contest() {  # MODE OPTIONS...: the summary on standard output, the JSON in its file
  local mode=$1
  shift
  if [[ -n $checking ]]; then return; fi
  # shellcheck disable=SC2069  # the summary comes on standard error
  "$hermod" bench "$mode" --json --repeat "$runs" "${pins[@]}" "${times[@]}" "$@" \
    2>&1 >"$BENCH_SCRATCH/$row.json"
}

# Debian's mosquitto with Nagle's delay and without it; the better counts. Programs built from
# source are shown beside it. KIND: empty, or -unlimited for no limit on queued messages.
brokers() {  # KIND OPTIONS...
  local kind=$1 title='' plain=''
  shift
  local others=()
  if [[ -n $kind ]]; then title=', no queue limit' plain="-c bench/mosquitto$kind.conf"; fi
  others=(--rival "mosquitto$title=$mosquitto $plain -p {port}"
    --rival "mosquitto$title, nodelay=$mosquitto -c bench/mosquitto$kind-nodelay.conf -p {port}")
  if [[ -n ${MOSQUITTO2:-} ]]; then
    others+=(--beside "mosquitto 2.1$title=$MOSQUITTO2 $plain -p {port}" --beside
      "mosquitto 2.1$title, nodelay=$MOSQUITTO2 -c bench/mosquitto$kind-nodelay.conf -p {port}")
  fi
  if [[ -n ${FLASHMQ:-} ]]; then
    export FLASHMQ
    others+=(--beside "FlashMQ=bench/flashmq.sh {port} false"
      --beside "FlashMQ, nodelay=bench/flashmq.sh {port} true")
  fi
  compare "${others[@]}" "$@"
}
compare() { contest compare --a "$ours" --a-name Hermod "$@"; }
with_null() { "$@" --ceiling "null server=$null"; }
scale() { contest scale --server "$ours" "$@"; }
libcoap() { compare --rival "libcoap=$coap_server -A 127.0.0.1 -p {port}" \
  --a-url coap://127.0.0.1 "$@"; }

# --- measuring ----------------------------------------------------------------------------------

# How many times mosquitto is wanted, by shape and QoS.
declare -A wanted=(
  [fan-in-q0]=12 [fan-in-q1]=13 [fan-in-q2]=13
  [fan-out-q0]=30 [fan-out-q1]=20 [fan-out-q2]=24
  [pairs-q0]=11 [pairs-q1]=17 [pairs-q2]=20)

flow() {  # SHAPE QOS WINDOW BYTES VERSION, each empty for the usual
  local shape=$1 qos=$2 window=${3:-64} kind='' load=() last=with_null
  if [[ $shape == fan-out && -z $3 ]]; then window=256; fi
  # A window of large messages is 256 KiB, so that what 50 publishers are ahead fits in every queue.
  if [[ -n $4 && -z $3 ]] && ((window * $4 > 262144)); then window=$((262144 / $4)); fi
  if [[ -n $4 ]]; then load+=(--payload "$4"); fi
  # The null server knows no MQTT 5.
  if [[ -n $5 ]]; then load+=(--mqtt "$5") last=; fi
  # Beyond the limit on queued messages of its defaults mosquitto drops, and waits for what is lost
  # cost it nothing and gain it nothing: so it has no limit where 50 publishers have one subscriber.
  if [[ $shape == fan-in && $qos != 0 ]]; then kind=-unlimited; fi
  if [[ $shape == fan-in && $window == 1024 ]]; then
    kind=-unlimited
    local ours
    ours=$(serve threads-1-unlimited)
  fi
  if [[ -z $3$4$5 ]]; then load+=(--at-least "${wanted[$shape-q$qos]}"); fi
  case $shape in
    fan-in) load+=(--publishers 50) ;;
    fan-out) load+=(--subscribers 100) ;;
    pairs) load+=(--publishers 50) ;;
  esac
  $last brokers "$kind" "$shape" "${load[@]}" -q "$qos" -W "$window" --inflight 20
}

more_subscribers() {  # COUNT: what a delivery costs beside 100 subscribers
  local count=$1 bound=()
  if ((count == 10000)); then bound=(--cost-at-most 1.5); fi
  if [[ -n $quick ]]; then count=$((count > 1000 ? 1000 : count)); fi
  scale fan-out --subscribers 100 -W 256 --name '100 subscribers' --then "--subscribers $count" \
    --then-name "$count subscribers" --drain 30 "${bound[@]}"
}

more_topics() {  # COUNT: beside 10, all subscribed to by one wildcard
  local count=$1 bound=()
  if ((count == 1000000)); then bound=(--cost-at-most 2); fi
  if [[ -n $quick ]]; then count=$((count > 10000 ? 10000 : count)); fi
  scale fan-in --publishers 50 -W 64 --topics 10 --name '10 topics' --then "--topics $count" \
    --then-name "$count topics" "${bound[@]}"
}

more_observers() {  # COUNT: what a notification costs beside 100 observers
  local count=$1 bound=()
  if ((count == 10000)); then bound=(--cost-at-most 1.5); fi
  if [[ -n $quick ]]; then count=$((count > 1000 ? 1000 : count)); fi
  scale coap-observe -n 100 -W 1 --name '100 observers' --then "-n $count" \
    --then-name "$count observers" --drain 30 "${bound[@]}"
}

# Each subscribed to by its name. A client may subscribe to 10,000, so there are 100 of them.
more_subscriptions() {  # COUNT: beside 100
  local count=$1
  if [[ -n $quick ]]; then count=$((count > 10000 ? 10000 : count)); fi
  scale pairs --publishers 100 -W 64 --topics 100 --exact --name '100 subscriptions' \
    --then "--topics $count" --then-name "$count subscriptions"
}

# Two shards, half of the deliveries from one to the other. What crossing costs shows where both
# shards share the processor that one had; on two processors each has less to do at a time, so that
# batches are smaller, and with no third one the generator is in the way.
more_shards() {  # SHAPE QOS INFLIGHT OPTIONS...
  local shape=$1 qos=$2 inflight=$3 load=(--publishers 50 -W 64)
  shift 3
  if [[ $shape == fan-out ]]; then load=(--subscribers 100 -W 256); fi
  scale "$shape" "${load[@]}" -q "$qos" --inflight "$inflight" --name 'threads 1' \
    --then-server "$(serve threads-2)" --then-name 'threads 2' "$@"
}

measure() {  # ROW
  local flow_row='^(fan-in|fan-out|pairs)-q([012])(-w([0-9]+))?(-([0-9]+)b)?(-v([0-9]))?$'
  if [[ $1 =~ $flow_row ]]; then
    flow "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" "${BASH_REMATCH[4]}" "${BASH_REMATCH[6]}" \
      "${BASH_REMATCH[8]}"
    return
  fi
  local clients=${IDLE_CLIENTS:-10000} many=100000 bound=() shape load
  if [[ -n $quick ]]; then clients=${IDLE_CLIENTS:-1000} many=1000; fi
  case $1 in
    connect) with_null brokers '' connect -n 50 --at-least-of-ceiling 0.8 ;;
    idle)
      local times=(--warmup 0.5 --duration 0.5)
      brokers '' idle -n "$clients" --at-most 700
      ;;
    latency-*-q[01])
      # A p99 of two seconds is made by the worst 20 milliseconds of the machine.
      if [[ -z $quick ]]; then local times=(--warmup 0.5 --duration 8); fi
      if [[ $1 == latency-5000-* ]]; then bound=(--p99-at-most-of-ceiling 1.5); fi
      with_null brokers '' latency --publishers 50 --rate "$(cut -d- -f2 <<<"$1")" \
        -q "${1: -1}" "${bound[@]}"
      ;;
    subscribers-*) more_subscribers "${1#*-}" ;;
    topics-*) more_topics "${1#*-}" ;;
    subscriptions-*) more_subscriptions "${1#*-}" ;;
    filters)
      scale fan-in --publishers 50 -W 64 --name 'no filters' --then "--filters $many" \
        --then-name "$many filters" --cost-at-most 1.1
      ;;
    churn)
      scale fan-out --subscribers 100 -W 256 --name 'still' --then '--churn 1000' \
        --then-name '1000 subscribes/s' --cost-at-most 1.3
      ;;
    threads-*-q[01]) more_shards "${1:8:-3}" "${1: -1}" 20 --then '' --at-least 0.85 ;;
    threads-fan-out-q1-i200) more_shards fan-out 1 200 --then '' --at-least 0.85 ;;
    cores-*-q[01]) more_shards "${1:6:-3}" "${1: -1}" 20 --then "${both[*]}" ;;
    neighbour-*-q[01])
      scale latency --publishers 50 --rate 5000 -q "${1: -1}" --name 'alone' \
        --then "--neighbour ${1:10:-3}" --then-name "${1:10:-3} neighbour"
      ;;
    groups-q[012])
      brokers -unlimited fan-in --publishers 50 --subscribers 10 --groups 1 -W 64 -q "${1: -1}" \
        --inflight 20
      ;;
    durable-*-q1)
      # The store's thread counts too. Windows that make batches of 16 messages and more.
      shape=${1:8:-3}
      load=(--publishers 50 -W 64)
      if [[ $shape == fan-out ]]; then load=(--subscribers 100 -W 256); fi
      scale "$shape" "${load[@]}" -q 1 --inflight 256 --lasting --name ephemeral --then '' \
        --then-server "bench/store.sh $hermod {port}" --then-name durable --more-at-most 3
      ;;
    coap-get)
      libcoap coap-get -n 8 -W 16 --server-url libcoap=coap://127.0.0.1/time --at-least 2
      ;;
    coap-put)
      libcoap coap-put -n 8 -W 16 --server-url libcoap=coap://127.0.0.1/example_data --at-least 1.75
      ;;
    coap-observe)
      libcoap coap-observe -n 100 -W 1 --server-url libcoap=coap://127.0.0.1/example_data \
        --at-least 2
      ;;
    coap-observers-*) more_observers "${1##*-}" ;;
    *) printf 'bench: there is no row %s; see --help\n' "$1" >&2 && exit 64 ;;
  esac
}

checking=1  # a name that is none shows before an hour of measuring
for row in "${rows[@]}"; do measure "$row"; done
checking=
if [[ -n $list ]]; then
  printf '%s\n' "${rows[@]}"
  exit 0
fi

mkdir -p "$json_dir"
missed=0
failed=0
measured=()
for row in "${rows[@]}"; do
  printf '\n%s\n' "$row"
  status=0
  measure "$row" || status=$?
  case $status in
    0) measured+=("$row") ;;
    3) missed=$((missed + 1)) measured+=("$row") ;;
    2) failed=$((failed + 1)) measured+=("$row") ;;
    130) exit 130 ;;  # interrupted
    *) failed=$((failed + 1)) && rm -f "$json_dir/$row.json" && continue ;;
  esac
  mv "$BENCH_SCRATCH/$row.json" "$json_dir/"  # whole or not at all, for who reads meanwhile
done

((${#measured[@]} > 0)) || exit 2
/usr/bin/python3 -B bench/tables.py "$json_dir" "${measured[@]}" >"$BENCH_SCRATCH/tables.md"
printf '\n'
cat "$BENCH_SCRATCH/tables.md"
if [[ -n $markdown ]]; then cp "$BENCH_SCRATCH/tables.md" "$markdown"; fi
if ((missed > 0)); then
  printf '\nbench: %d of %d rows missed what is wanted\n' "$missed" "${#rows[@]}"
fi
if ((failed > 0)); then
  printf '\nbench: %d of %d rows %s\n' "$failed" "${#rows[@]}" \
    'could not be measured, or Hermod lost, repeated or reordered something'
  exit 2
fi
((missed == 0)) || exit 1
