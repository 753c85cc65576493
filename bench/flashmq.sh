#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Becomes the FlashMQ that $FLASHMQ names: flashmq.sh PORT NODELAY. FlashMQ takes its port from the
# configuration alone, and reads that twice: it is a file in $BENCH_SCRATCH.
set -euo pipefail
conf=${BENCH_SCRATCH:?where configurations are written}/flashmq-$1.conf
sed -e "s/@PORT@/$1/" -e "s/@NODELAY@/$2/" "$(dirname "$0")/flashmq.conf.in" >"$conf"
exec "${FLASHMQ:?the program}" --config-file "$conf"
