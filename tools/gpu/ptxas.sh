#!/bin/sh
# What ptxas makes of llmap-cuda's PTX, as a table: registers, spilled bytes, stack and shared memory of each
# kernel on sm_75, sm_80 and sm_90. Ends with 1 where anything spills or needs a stack.
#
#   tools/gpu/ptxas.sh [FILE.ptx.gz]
set -eu

resources="$(cd "$(dirname "$0")/../.." && pwd)/llmap-cuda/src/main/resources/io/llmap/cuda"
input="${1:-$resources/log_prob.ptx.gz}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

gunzip -c "$input" > "$work/log_prob.ptx"
for architecture in 75 80 90; do
  ptxas -v -arch=sm_$architecture -o /dev/null "$work/log_prob.ptx" 2>&1 |
    awk -v architecture=$architecture '
      /Compiling entry function/ { split($0, quoted, "\x27"); kernel = quoted[2] }
      /bytes stack frame/ {
        stack = $1
        spills = $5 + $9
      }
      /Used [0-9]+ registers/ {
        registers = $5
        shared = match($0, /[0-9]+ bytes smem/) ? substr($0, RSTART) + 0 : 0
        print kernel, architecture, registers, spills, stack, shared
      }'
done | sort -k1,1 -k2,2n | awk '
  BEGIN {
    print "| kernel | sm | registers | spilled bytes | stack bytes | shared bytes | blocks of 256 by registers |"
    print "|---|---|---|---|---|---|---|"
  }
  {
    # Registers are given out by eight a thread; a multiprocessor has 65536, and at most 1024 threads on sm_75.
    blocks = int(65536 / 256 / (int(($3 + 7) / 8) * 8))
    most = $2 == 75 ? 4 : 8
    printf "| `%s` | %s | %s | %s | %s | %s | %s |\n", $1, $2, $3, $4, $5, $6, blocks < most ? blocks : most
    bad += $4 + $5
    kernels++
  }
  END { exit bad > 0 || kernels == 0 }'
