#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Starts Hermod with a store of its own: store.sh HERMOD PORT. For run.sh, which removes the store.
set -euo pipefail
folder=$(mktemp -d "${BENCH_SCRATCH:-/tmp}/store.XXXXXX")
conf=$(dirname "$0")/threads-1.conf
exec env STATE_DIRECTORY="$folder" "$1" serve -c "$conf" -p "$2" --coap-port "$2"
