#!/bin/sh
# Builds llmap-cuda's PTX from log_prob.cu with nvcc 13.0:
#
#   tools/gpu/build_ptx.sh [OUTPUT.ptx.gz]
#
# Without an argument it replaces the file that is checked in. The same nvcc gives the same bytes of PTX on
# every machine; they hold no path and no date.
set -eu

resources="$(cd "$(dirname "$0")/../.." && pwd)/llmap-cuda/src/main/resources/io/llmap/cuda"
output="${1:-$resources/log_prob.ptx.gz}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# compute_75 is the oldest that nvcc 13 knows; drivers compile it for every later device.
# -ftz=true: exp2f is then one instruction; sums of terms below 2^-126 say nothing.
# -fmad=false: only the fused operations that the source names, so that the emulator of the tests rounds alike.
cp "$resources/log_prob.cu" "$work/log_prob.cu"
(cd "$work" && nvcc --ptx -arch=compute_75 -O3 -ftz=true -fmad=false -o log_prob.full.ptx log_prob.cu)

# nvcc names its own version of the PTX language, which drivers older than itself refuse. The kernels need
# nothing beyond 6.3, the first that knows sm_75; ptxas checks that where the line below asks for it.
# The comments go, but for the one that names the compiler.
sed -e 's/^\.version .*/.version 6.3/' \
    -e '/^[[:space:]]*$/d' \
    -e '/^\/\/ Cuda compilation tools/b' \
    -e '/^[[:space:]]*\/\//d' "$work/log_prob.full.ptx" > "$work/log_prob.ptx"
ptxas -arch=sm_75 -o /dev/null "$work/log_prob.ptx"
gzip -9 -n < "$work/log_prob.ptx" > "$output"
