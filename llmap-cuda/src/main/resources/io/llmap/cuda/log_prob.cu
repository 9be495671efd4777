// Token log-probabilities from logits, sums over texts, and Gram matrices.
//
// Layout     Logits are row-major: logit v of row r is logits[r * row_stride + v], 0 <= v < vocabulary.
//            Elements from `vocabulary` to `row_stride` are never read, so a padded vocabulary needs no
//            mask. A row may start at any multiple of its element's size.
// Result     log_probs[r] = z[target] - log(sum over v of exp(z[v])), natural logarithm, in double.
//            0 where the target is ignore_index; NaN where it lies outside the vocabulary, or where the
//            row holds a NaN, a +inf, or only -inf: as the scalar kernel in Java.
//
// kernel                     block  grid                       reads, writes
// llmap_log_probs_*          256    (rows)                     V*s + 36 B a row, 8 B a row
// llmap_log_probs_split_*    256    (chunks, rows)             V*s B a row, 8 B a chunk
// llmap_log_probs_combine_*  256    (rows)                     8*chunks + 36 B a row, 8 B a row
// llmap_segment_sums         256    (ceil(segments / 8))       8 B a token + 8 B a segment, 8 B a segment
// llmap_gram_*               256    (t*(t+1)/2), t=ceil(K/64)  K*N*s*(t+1) B, most of them from L2; 8*K*K B
// llmap_squared_distances_f64  256  as gram                    as gram
//
// s is the size of an element. 36 B: the target and the 32-byte sector of its logit. rows of the split
// kernel are grid.y, at most 65535. No kernel uses dynamic shared memory.
//
// Roofline   llmap_log_probs on an H100 SXM, 8192 x 131072 bf16, calculated from data sheets, not measured:
//            2.147 GB are 0.64 ms at 3.35 TB/s; 1.07e9 exp2 are 0.29 ms at 132 * 16 a cycle and 1.755 GHz; ten
//            instructions an element are 0.36 ms at 132 * 4 warps a cycle. Memory is the limit.
//            llmap_gram: K*K*N flops in double, 0.30 ms for 1018 x 10000 at 34 TFLOP/s; 16 products a thread
//            for 8 numbers from shared memory, 6 accesses of 128 bytes a warp in the time of 8.
//
// The numbers in brackets refer to these formulas. L is log2(e); all references n are integers.
//   [1] n = ceil(L * max z)            an integer, so that changing it scales a sum by a power of two, exactly
//   [2] p_v = 2^(L * z_v - n)          one rounding of L * z_v - n, then one of the correction for L's low part
//   [3] sum += p_v, as a pair          s + e of TwoSum (Knuth), after a tree over the 128 bits of one load
//   [4] sum' = sum * 2^(n - n')        for n' > n
//   [5] log_prob = z_t - n * ln 2 - log(sum)
//   [6] gram_ij = sum over n of a_in * a_jn; distance_ij = sum over n of (a_in - a_jn)^2
//
// Error of [5], in units of 2^-23 and with H <= log2(V) * ln 2 the entropy of the row: H + 1 from the two
// roundings of [2], 2 from exp2 (2 ulp on a device), 1.5 from the tree, 0.5 from partials: H + 5 in all.
//
// Deterministic: which thread adds what follows from the shape and the alignment of the row alone, and
// nothing is added by atomics.

#include <cuda_bf16.h>
#include <cuda_fp16.h>

namespace llmap {

constexpr int kThreads = 256;
constexpr int kWarp = 32;
constexpr int kWarps = kThreads / kWarp;
constexpr unsigned kAllLanes = 0xffffffffu;

// Four 128-bit loads in flight a thread: the 5 blocks of 48 registers a thread that a multiprocessor holds
// then cover 80 KB, more than bandwidth times latency asks for (3.35 TB/s * 0.7 us / 132 = 18 KB), with
// room for the time in which a thread computes and loads nothing. Without a number of resident blocks ptxas
// saves registers, for more blocks, by issuing the last two loads only when the first has arrived. 4 blocks
// are what the 1024 threads of an sm_75 allow; 2 keep the accumulators of the pair kernels from spilling.
constexpr int kUnroll = 4;
constexpr int kRound = kThreads * kUnroll;
constexpr int kResidentBlocks = 4;
constexpr int kResidentPairBlocks = 2;

constexpr float kLog2eHigh = 1.44269502162933349609375f;
constexpr float kLog2eLow = 1.925963033500011079e-08f;
constexpr double kLn2 = 0.693147180559945309417232121458;

// Beyond it the integers n and their differences would no longer be exact, and a row takes the slow path.
constexpr float kReferenceLimit = 4194304.0f;

constexpr int kTile = 64;
constexpr int kDepth = 16;

__device__ __forceinline__ float to_float(float z) { return z; }
__device__ __forceinline__ float to_float(__half z) { return __half2float(z); }
__device__ __forceinline__ float to_float(__nv_bfloat16 z) { return __bfloat162float(z); }

template <typename T>
struct Lanes {
  static constexpr int count = 16 / static_cast<int>(sizeof(T));

  // -inf in every lane.
  static __device__ __forceinline__ uint4 nothing() {
    unsigned word = minus_infinities(T());
    return make_uint4(word, word, word, word);
  }

 private:
  static __device__ __forceinline__ unsigned minus_infinities(float) { return 0xff800000u; }
  static __device__ __forceinline__ unsigned minus_infinities(__half) { return 0xfc00fc00u; }
  static __device__ __forceinline__ unsigned minus_infinities(__nv_bfloat16) { return 0xff80ff80u; }
};

__device__ __forceinline__ void unpack(unsigned word, float* z, float) { z[0] = __uint_as_float(word); }

__device__ __forceinline__ void unpack(unsigned word, float* z, __half) {
  z[0] = __half2float(__ushort_as_half(static_cast<unsigned short>(word)));
  z[1] = __half2float(__ushort_as_half(static_cast<unsigned short>(word >> 16)));
}

// A bf16 is the upper half of a float.
__device__ __forceinline__ void unpack(unsigned word, float* z, __nv_bfloat16) {
  z[0] = __uint_as_float(word << 16);
  z[1] = __uint_as_float(word & 0xffff0000u);
}

// 2^k for k <= 0; 0 below the normal numbers.
__device__ __forceinline__ float power_of_two(float k) {
  int exponent = static_cast<int>(k) + 127;
  return __uint_as_float(static_cast<unsigned>(exponent > 0 ? exponent : 0) << 23);
}

// s + e is the sum of 2^(L * z - n) over the logits that one thread has seen.
struct ThreadSum {
  float n = -kReferenceLimit;
  float s = 0;
  float e = 0;

  __device__ __forceinline__ float term(float z) const {  // [2]
    // The low part of L is positive, so that z = -inf meets no infinity of the other sign.
    return exp2f(fmaf(z, kLog2eLow, fmaf(z, kLog2eHigh, -n)));
  }

  __device__ __forceinline__ void raise(float largest) {
    float bits = largest * kLog2eHigh;
    if (bits > n) {  // false for NaN: term() brings it into the sum
      float next = fminf(ceilf(bits), kReferenceLimit);  // [1]
      float scale = power_of_two(n - next);              // [4]
      s *= scale;
      e *= scale;
      n = next;
    }
  }

  __device__ __forceinline__ void add(float p) {  // [3]
    float sum = s + p;
    float part = sum - s;
    e += (s - (sum - part)) + (p - part);
    s = sum;
  }

  __device__ __forceinline__ void add_logit(float z) {
    raise(z);
    add(term(z));
  }

  template <typename T>
  __device__ __forceinline__ void add_vector(uint4 vector) {
    constexpr int count = Lanes<T>::count;
    constexpr int per_word = count / 4;
    float z[count];
    unpack(vector.x, z, T());
    unpack(vector.y, z + per_word, T());
    unpack(vector.z, z + 2 * per_word, T());
    unpack(vector.w, z + 3 * per_word, T());
    float largest = z[0];
#pragma unroll
    for (int i = 1; i < count; i++) {
      largest = fmaxf(largest, z[i]);
    }
    raise(largest);
#pragma unroll
    for (int i = 0; i < count; i++) {
      z[i] = term(z[i]);
    }
#pragma unroll
    for (int width = count / 2; width > 0; width /= 2) {
#pragma unroll
      for (int i = 0; i < width; i++) {
        z[i] += z[i + width];
      }
    }
    add(z[0]);
  }
};

// The calling thread's share of `count` logits from `logits` on.
template <typename T>
__device__ __forceinline__ ThreadSum sum_of_share(const T* logits, int count) {
  constexpr int lanes = Lanes<T>::count;
  int thread = static_cast<int>(threadIdx.x);
  ThreadSum sum;

  // Up to the first address that 128-bit loads can use, and what is left after the last one. They come
  // first, so that their latency does not stand alone at the end.
  int misaligned = static_cast<int>(reinterpret_cast<unsigned long long>(logits) % 16) / static_cast<int>(sizeof(T));
  int head = misaligned == 0 ? 0 : lanes - misaligned;
  head = head < count ? head : count;
  int vectors = (count - head) / lanes;
  int tail = count - head - vectors * lanes;
  if (thread < head) {
    sum.add_logit(to_float(logits[thread]));
  } else if (thread >= kWarp && thread < kWarp + tail) {
    sum.add_logit(to_float(logits[count - tail + (thread - kWarp)]));
  }

  // The last round ends with the last vector, so that only the first may have vectors missing.
  const uint4* vector = reinterpret_cast<const uint4*>(logits + head) + thread;
  int remainder = vectors % kRound;
  int first = remainder == 0 ? 0 : remainder - kRound;
#pragma unroll 1
  for (; first < vectors; first += kRound) {
    uint4 loaded[kUnroll];
#pragma unroll
    for (int u = 0; u < kUnroll; u++) {
      int i = first + u * kThreads;
      loaded[u] = i + thread >= 0 ? __ldcs(vector + i) : Lanes<T>::nothing();
    }
#pragma unroll
    for (int u = 0; u < kUnroll; u++) {
      sum.add_vector<T>(loaded[u]);
    }
  }
  return sum;
}

__device__ __forceinline__ float warp_max(float x) {
#pragma unroll
  for (int lane = kWarp / 2; lane > 0; lane /= 2) {
    x = fmaxf(x, __shfl_xor_sync(kAllLanes, x, lane));
  }
  return x;
}

__device__ __forceinline__ double warp_sum(double x) {
#pragma unroll
  for (int lane = kWarp / 2; lane > 0; lane /= 2) {
    x += __shfl_xor_sync(kAllLanes, x, lane);
  }
  return x;
}

struct BlockSum {
  float n;
  double sum;
};

// The same in every thread of the block.
__device__ __forceinline__ BlockSum block_sum(float n, double sum) {
  __shared__ float warp_n[kWarps];
  __shared__ double warp_sums[kWarps];
  int warp = static_cast<int>(threadIdx.x) / kWarp;
  float largest = warp_max(n);
  double total = warp_sum(sum * power_of_two(n - largest));  // [4]
  if (threadIdx.x % kWarp == 0) {
    warp_n[warp] = largest;
    warp_sums[warp] = total;
  }
  __syncthreads();
  BlockSum result = {warp_n[0], 0};
#pragma unroll
  for (int w = 1; w < kWarps; w++) {
    result.n = fmaxf(result.n, warp_n[w]);
  }
#pragma unroll
  for (int w = 0; w < kWarps; w++) {
    result.sum += warp_sums[w] * power_of_two(warp_n[w] - result.n);  // [4]
  }
  return result;
}

// Logits of millions in size, where L * z - n says nothing any more, and rows without a finite maximum.
// They are read twice again: the maximum first, then exp(z - max).
template <typename T>
__device__ __forceinline__ double slow_sum(const T* logits, int count, float* max) {
  __shared__ float warp_maxima[kWarps];
  __shared__ double warp_sums[kWarps];
  int thread = static_cast<int>(threadIdx.x);
  float largest = __uint_as_float(0xff800000u);
#pragma unroll 1
  for (int v = thread; v < count; v += kThreads) {
    largest = fmaxf(largest, to_float(logits[v]));
  }
  largest = warp_max(largest);
  if (thread % kWarp == 0) {
    warp_maxima[thread / kWarp] = largest;
  }
  __syncthreads();
#pragma unroll
  for (int w = 0; w < kWarps; w++) {
    largest = fmaxf(largest, warp_maxima[w]);
  }
  ThreadSum sum;
#pragma unroll 1
  for (int v = thread; v < count; v += kThreads) {
    sum.add(exp2f((to_float(logits[v]) - largest) * kLog2eHigh));
  }
  double total = warp_sum(static_cast<double>(sum.s) + sum.e);
  if (thread % kWarp == 0) {
    warp_sums[thread / kWarp] = total;
  }
  __syncthreads();
  total = 0;
#pragma unroll
  for (int w = 0; w < kWarps; w++) {
    total += warp_sums[w];
  }
  *max = largest;
  return total;
}

template <typename T>
__device__ __forceinline__ void write_log_prob(
    const T* logits, int vocabulary, float target_logit, BlockSum sum, double* log_prob) {
  double reference = sum.n * kLn2;
  double total = sum.sum;
  if (fabsf(sum.n) >= kReferenceLimit) {
    float max;
    total = slow_sum(logits, vocabulary, &max);
    reference = max;
  }
  double result = (target_logit - reference) - log(total);  // [5]
  if (threadIdx.x == 0) {
    // A certain token can come out some 1e-7 above 0.
    *log_prob = result > 0 ? 0 : result;
  }
}

// Whether the row needs its logits; otherwise its result is written here.
__device__ __forceinline__ bool needs_logits(
    int target, int vocabulary, int ignore_index, double* log_prob) {
  bool ignored = target == ignore_index;
  if (!ignored && target >= 0 && target < vocabulary) {
    return true;
  }
  if (threadIdx.x == 0) {
    *log_prob = ignored ? 0.0 : __longlong_as_double(0x7ff8000000000000LL);
  }
  return false;
}

template <typename T>
__device__ __forceinline__ void log_probs_of_rows(
    const T* logits,
    long long row_stride,
    int vocabulary,
    const int* targets,
    int rows,
    int ignore_index,
    double* log_probs) {
  int row = static_cast<int>(blockIdx.x);
  if (row >= rows) {
    return;
  }
  int target = targets[row];
  if (!needs_logits(target, vocabulary, ignore_index, log_probs + row)) {
    return;
  }
  const T* z = logits + row * row_stride;
  float target_logit = to_float(z[target]);
  ThreadSum share = sum_of_share(z, vocabulary);
  BlockSum sum = block_sum(share.n, static_cast<double>(share.s) + share.e);
  write_log_prob(z, vocabulary, target_logit, sum, log_probs + row);
}

template <typename T>
__device__ __forceinline__ void partial_sums_of_rows(
    const T* logits, long long row_stride, int vocabulary, int rows, int chunks, float2* partials) {
  int row = static_cast<int>(blockIdx.y);
  int chunk = static_cast<int>(blockIdx.x);
  if (row >= rows || chunk >= chunks) {
    return;
  }
  // A multiple of a cache line, so that chunks share none unless the row starts between two.
  constexpr long long line = 128 / sizeof(T);
  long long length = ((vocabulary + chunks - 1LL) / chunks + line - 1) / line * line;
  long long first = chunk * length;
  long long count = vocabulary - first;
  count = count < 0 ? 0 : count < length ? count : length;
  ThreadSum share = sum_of_share(logits + row * row_stride + first, static_cast<int>(count));
  BlockSum sum = block_sum(share.n, static_cast<double>(share.s) + share.e);
  if (threadIdx.x == 0) {
    partials[static_cast<long long>(row) * chunks + chunk] = make_float2(sum.n, static_cast<float>(sum.sum));
  }
}

template <typename T>
__device__ __forceinline__ void log_probs_of_partials(
    const T* logits,
    long long row_stride,
    int vocabulary,
    const int* targets,
    int rows,
    int chunks,
    const float2* partials,
    int ignore_index,
    double* log_probs) {
  int row = static_cast<int>(blockIdx.x);
  if (row >= rows) {
    return;
  }
  int target = targets[row];
  if (!needs_logits(target, vocabulary, ignore_index, log_probs + row)) {
    return;
  }
  const T* z = logits + row * row_stride;
  float target_logit = to_float(z[target]);
  const float2* of_row = partials + static_cast<long long>(row) * chunks;
  float n = -kReferenceLimit;
  double total = 0;
#pragma unroll 1
  for (int chunk = static_cast<int>(threadIdx.x); chunk < chunks; chunk += kThreads) {
    float2 partial = of_row[chunk];
    float next = fmaxf(n, partial.x);
    total = total * power_of_two(n - next) + partial.y * power_of_two(partial.x - next);  // [4]
    n = next;
  }
  write_log_prob(z, vocabulary, target_logit, block_sum(n, total), log_probs + row);
}

// s + e without the rounding errors of s.
__device__ __forceinline__ void add_compensated(double x, double& s, double& e) {
  double sum = s + x;
  double part = sum - s;
  e += (s - (sum - part)) + (x - part);
  s = sum;
}

struct Product {
  static __device__ __forceinline__ double add(double a, double b, double sum) { return fma(a, b, sum); }
};

// Differences, not norms minus products: near duplicates keep their digits, and nothing falls below 0.
struct SquaredDifference {
  static __device__ __forceinline__ double add(double a, double b, double sum) {
    double difference = a - b;
    return fma(difference, difference, sum);
  }
};

// Text `text` of the models that the calling thread puts into shared memory.
template <typename T>
__device__ __forceinline__ void load_side(
    const T* rows, int models, long long texts, int first_model, long long text, T (&side)[4]) {
#pragma unroll
  for (int r = 0; r < 4; r++) {
    int model = first_model + static_cast<int>(threadIdx.x) / 16 + 16 * r;
    side[r] = text < texts && model < models ? rows[model * texts + text] : 0;
  }
}

// 64 x 64 pairs of models a block, 4 x 4 of them a thread: models 4*ty..4*ty+3 of the upper side, whose
// loads are 128 bits and broadcast to 16 threads, and tx, tx+16, tx+32, tx+48 of the left side, which 16
// threads read side by side. The padding of two keeps both free of bank conflicts and 16-byte aligned.
template <typename T, typename Operation>
__device__ __forceinline__ void pairs_of_rows(const T* rows, int models, long long texts, double* pairs) {
  __shared__ __align__(16) double side_i[kDepth][kTile + 2];
  __shared__ __align__(16) double side_j[kDepth][kTile + 2];
  int block = static_cast<int>(blockIdx.x);
  int tile_i = static_cast<int>((sqrtf(8.0f * block + 1) - 1) * 0.5f);
  // The root of a number beyond 2^24 may be off by one.
  while ((tile_i + 1) * (tile_i + 2LL) / 2 <= block) {
    tile_i++;
  }
  while (tile_i * (tile_i + 1LL) / 2 > block) {
    tile_i--;
  }
  int tile_j = block - static_cast<int>(tile_i * (tile_i + 1LL) / 2);
  int first_i = tile_i * kTile;
  int first_j = tile_j * kTile;
  if (first_i >= models) {
    return;
  }
  int thread = static_cast<int>(threadIdx.x);
  int tx = thread % 16;
  int ty = thread / 16;
  double sums[4][4] = {};
  T next_i[4];
  T next_j[4];
  load_side(rows, models, texts, first_i, tx, next_i);
  load_side(rows, models, texts, first_j, tx, next_j);
  for (long long first = 0; first < texts; first += kDepth) {
#pragma unroll
    for (int r = 0; r < 4; r++) {
      side_i[tx][ty + 16 * r] = next_i[r];
      side_j[tx][ty + 16 * r] = next_j[r];
    }
    __syncthreads();
    // While these are on their way, what lies in shared memory is used.
    load_side(rows, models, texts, first_i, first + kDepth + tx, next_i);
    load_side(rows, models, texts, first_j, first + kDepth + tx, next_j);
#pragma unroll
    for (int n = 0; n < kDepth; n++) {
      double2 low = *reinterpret_cast<const double2*>(&side_i[n][4 * ty]);
      double2 high = *reinterpret_cast<const double2*>(&side_i[n][4 * ty + 2]);
      double a[4] = {low.x, low.y, high.x, high.y};
#pragma unroll
      for (int c = 0; c < 4; c++) {
        double b = side_j[n][tx + 16 * c];
#pragma unroll
        for (int r = 0; r < 4; r++) {
          sums[r][c] = Operation::add(a[r], b, sums[r][c]);  // [6]
        }
      }
    }
    __syncthreads();
  }
#pragma unroll
  for (int r = 0; r < 4; r++) {
#pragma unroll
    for (int c = 0; c < 4; c++) {
      int i = first_i + 4 * ty + r;
      int j = first_j + tx + 16 * c;
      if (i < models && j <= i) {
        pairs[static_cast<long long>(i) * models + j] = sums[r][c];
        pairs[static_cast<long long>(j) * models + i] = sums[r][c];
      }
    }
  }
}

}  // namespace llmap

using namespace llmap;

#define LLMAP_LOG_PROB_KERNELS(suffix, T)                                                                    \
  extern "C" __global__ void __launch_bounds__(kThreads, kResidentBlocks) llmap_log_probs_##suffix(          \
      const T* logits, long long row_stride, int vocabulary, const int* targets, int rows, int ignore_index, \
      double* log_probs) {                                                                                   \
    log_probs_of_rows(logits, row_stride, vocabulary, targets, rows, ignore_index, log_probs);               \
  }                                                                                                          \
  extern "C" __global__ void __launch_bounds__(kThreads, kResidentBlocks) llmap_log_probs_split_##suffix(    \
      const T* logits, long long row_stride, int vocabulary, int rows, int chunks, float2* partials) {       \
    partial_sums_of_rows(logits, row_stride, vocabulary, rows, chunks, partials);                            \
  }                                                                                                          \
  extern "C" __global__ void __launch_bounds__(kThreads) llmap_log_probs_combine_##suffix(                   \
      const T* logits, long long row_stride, int vocabulary, const int* targets, int rows, int chunks,       \
      const float2* partials, int ignore_index, double* log_probs) {                                         \
    log_probs_of_partials(logits, row_stride, vocabulary, targets, rows, chunks, partials, ignore_index,     \
                          log_probs);                                                                        \
  }

LLMAP_LOG_PROB_KERNELS(f32, float)
LLMAP_LOG_PROB_KERNELS(f16, __half)
LLMAP_LOG_PROB_KERNELS(bf16, __nv_bfloat16)

// Segment s is log_probs[starts[s]] to log_probs[starts[s + 1] - 1]; without elements its sum is 0.
extern "C" __global__ void __launch_bounds__(kThreads)
    llmap_segment_sums(const double* log_probs, const int* starts, int segments, double* sums) {
  long long segment = (static_cast<long long>(blockIdx.x) * kThreads + threadIdx.x) / kWarp;
  if (segment >= segments) {
    return;
  }
  int lane = static_cast<int>(threadIdx.x) % kWarp;
  double s = 0;
  double e = 0;
#pragma unroll 1
  for (long long t = starts[segment] + static_cast<long long>(lane); t < starts[segment + 1]; t += kWarp) {
    add_compensated(log_probs[t], s, e);
  }
#pragma unroll
  for (int distance = kWarp / 2; distance > 0; distance /= 2) {
    double other = __shfl_down_sync(kAllLanes, s, distance);
    e += __shfl_down_sync(kAllLanes, e, distance);
    add_compensated(other, s, e);
  }
  if (lane == 0) {
    // The compensation of an infinite sum is NaN.
    sums[segment] = isfinite(s) ? s + e : s;
  }
}

// rows is models x texts; pairs[i * models + j] = pairs[j * models + i] are written, not added to. Both
// sums run over the texts in their order, so that they do not depend on the number of models.
#define LLMAP_PAIR_KERNEL(name, T, Operation)                                           \
  extern "C" __global__ void __launch_bounds__(kThreads, kResidentPairBlocks)           \
      name(const T* rows, int models, long long texts, double* pairs) {                 \
    pairs_of_rows<T, Operation>(rows, models, texts, pairs);                            \
  }

LLMAP_PAIR_KERNEL(llmap_gram_f64, double, Product)
LLMAP_PAIR_KERNEL(llmap_gram_f32, float, Product)
LLMAP_PAIR_KERNEL(llmap_squared_distances_f64, double, SquaredDifference)
