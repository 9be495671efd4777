// Runs CUDA kernels on the CPU, a block at a time, to prove what does not depend on a device: indices,
// bounds, alignment, barriers, shuffles, races, and arithmetic up to the device's exp2 and log.
//
// Each thread of a block is a fibre that runs until it meets a barrier or a shuffle. Order in which the
// fibres take turns is an argument, so that a missing barrier shows as results that depend on it. A
// barrier or shuffle that not all of its threads reach ends the program with a message, as do 128-bit
// loads from a misaligned address.
#pragma once

#include <setjmp.h>
#include <ucontext.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#define __global__
#define __device__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __shared__ static
#define __align__(n) __attribute__((aligned(n)))

struct dim3 {
  unsigned x = 1;
  unsigned y = 1;
  unsigned z = 1;
};
struct uint4 {
  unsigned x, y, z, w;
};
struct float2 {
  float x, y;
};
struct double2 {
  double x, y;
};

inline dim3 gridDim;
inline dim3 blockDim;
inline dim3 blockIdx;
inline dim3 threadIdx;

namespace emulator {

constexpr unsigned kWarpSize = 32;

[[noreturn]] inline void fail(const std::string& message) {
  std::fprintf(stderr, "emulator: %s (block %u, %u)\n", message.c_str(), blockIdx.x, blockIdx.y);
  std::_Exit(3);
}

enum class Waiting { no, at_barrier, at_shuffle, ended };

struct Fibre {
  jmp_buf position;
  bool started = false;
  std::unique_ptr<char[]> stack;
  Waiting waiting;
  int kind;             // of the shuffle
  unsigned mask;        // of the shuffle
  std::uint64_t value;  // given to the shuffle, until it is complete
  std::uint64_t taken[kWarpSize];
};

// One block at a time; threads are numbered by threadIdx.x.
class Block {
 public:
  void run(unsigned threads, unsigned order, const std::function<void()>& kernel) {
    kernel_ = &kernel;
    while (fibres_.size() < threads) {
      fibres_.push_back(std::make_unique<Fibre>());
      fibres_.back()->stack = std::make_unique<char[]>(kStack);
    }
    threads_ = threads;
    std::vector<unsigned> turns(threads);
    std::iota(turns.begin(), turns.end(), 0u);
    if (order == 1) {
      std::reverse(turns.begin(), turns.end());
    } else if (order > 1) {
      std::shuffle(turns.begin(), turns.end(), std::mt19937(order));
    }
    for (unsigned t = 0; t < threads; t++) {
      fibres_[t]->waiting = Waiting::no;
    }
    while (true) {
      for (unsigned t : turns) {
        if (fibres_[t]->waiting == Waiting::no) {
          current_ = t;
          threadIdx.x = t;
          resume(*fibres_[t]);
        }
      }
      if (count(Waiting::ended) == threads) {
        return;
      }
      release();
    }
  }

  void barrier() { wait(Waiting::at_barrier); }

  // What each lane of the caller's warp has given to the same shuffle.
  const std::uint64_t* shuffle(int kind, unsigned mask, std::uint64_t value) {
    Fibre& fibre = *fibres_[current_];
    if ((mask >> (current_ % kWarpSize) & 1) == 0) {
      fail("shuffle by lane " + std::to_string(current_ % kWarpSize) + ", which its mask leaves out");
    }
    fibre.kind = kind;
    fibre.mask = mask;
    fibre.value = value;
    wait(Waiting::at_shuffle);
    return fibre.taken;
  }

  unsigned lane() const { return current_ % kWarpSize; }

  static Block& instance() {
    static Block block;
    return block;
  }

 private:
  static constexpr std::size_t kStack = 64 * 1024;

  // For each block of the launch the kernel once; between them a fibre waits as one that has ended.
  static void enter() {
    Block& block = instance();
    while (true) {
      (*block.kernel_)();
      block.wait(Waiting::ended);
    }
  }

  // A context starts a fibre on its stack. Afterwards jumps do, which save no signal mask and so need no
  // system call; fortified libraries take them for errors, so that this is compiled without.
  void resume(Fibre& fibre) {
    if (_setjmp(scheduler_) != 0) {
      return;
    }
    if (fibre.started) {
      _longjmp(fibre.position, 1);
    }
    fibre.started = true;
    ucontext_t context;
    getcontext(&context);
    context.uc_stack.ss_sp = fibre.stack.get();
    context.uc_stack.ss_size = kStack;
    context.uc_link = nullptr;
    makecontext(&context, &Block::enter, 0);
    setcontext(&context);
  }

  void wait(Waiting waiting) {
    Fibre& fibre = *fibres_[current_];
    fibre.waiting = waiting;
    if (_setjmp(fibre.position) == 0) {
      _longjmp(scheduler_, 1);
    }
  }

  unsigned count(Waiting waiting) const {
    return static_cast<unsigned>(std::count_if(fibres_.begin(), fibres_.begin() + threads_,
                                               [&](const auto& fibre) { return fibre->waiting == waiting; }));
  }

  // Lets go every fibre whose barrier or shuffle all have reached; none is running.
  void release() {
    bool released = false;
    for (unsigned first = 0; first < threads_; first += kWarpSize) {
      released |= release_shuffle(first);
    }
    if (released) {
      return;
    }
    if (count(Waiting::at_barrier) == threads_) {
      for (unsigned t = 0; t < threads_; t++) {
        fibres_[t]->waiting = Waiting::no;
      }
      return;
    }
    for (unsigned t = 0; t < threads_; t++) {
      if (fibres_[t]->waiting == Waiting::at_shuffle) {
        fail("shuffle by thread " + std::to_string(t) + " that lanes of its mask do not reach");
      }
    }
    fail("barrier reached by " + std::to_string(count(Waiting::at_barrier)) + " of " + std::to_string(threads_) +
         " threads");
  }

  bool release_shuffle(unsigned first) {
    unsigned lanes = std::min(kWarpSize, threads_ - first);
    bool released = false;
    for (unsigned leader = 0; leader < lanes; leader++) {
      const Fibre& leading = *fibres_[first + leader];
      if (leading.waiting != Waiting::at_shuffle) {
        continue;
      }
      bool complete = true;
      for (unsigned lane = 0; lane < kWarpSize; lane++) {
        if (leading.mask >> lane & 1) {
          complete &= lane < lanes && fibres_[first + lane]->waiting == Waiting::at_shuffle &&
                      fibres_[first + lane]->mask == leading.mask && fibres_[first + lane]->kind == leading.kind;
        }
      }
      if (!complete) {
        continue;
      }
      unsigned mask = leading.mask;
      for (unsigned lane = 0; lane < lanes; lane++) {
        if (mask >> lane & 1) {
          Fibre& fibre = *fibres_[first + lane];
          for (unsigned other = 0; other < lanes; other++) {
            fibre.taken[other] = mask >> other & 1 ? fibres_[first + other]->value : kNothing;
          }
          fibre.waiting = Waiting::no;
        }
      }
      released = true;
    }
    return released;
  }

  // A NaN as float and as double, for lanes that took no part.
  static constexpr std::uint64_t kNothing = 0x7ff8dead7fc0deadull;

  const std::function<void()>* kernel_ = nullptr;
  std::vector<std::unique_ptr<Fibre>> fibres_;
  unsigned threads_ = 0;
  unsigned current_ = 0;
  jmp_buf scheduler_;
};

inline void launch(dim3 grid, unsigned threads, unsigned order, const std::function<void()>& kernel) {
  gridDim = grid;
  blockDim = {threads, 1, 1};
  for (unsigned y = 0; y < grid.y; y++) {
    for (unsigned x = 0; x < grid.x; x++) {
      blockIdx = {x, y, 0};
      Block::instance().run(threads, order, kernel);
    }
  }
}

template <typename T>
T shuffle(int kind, unsigned mask, T value, unsigned from) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  const std::uint64_t* taken = Block::instance().shuffle(kind, mask, bits);
  std::memcpy(&value, &taken[from], sizeof value);
  return value;
}

// Relative error put on every exp2f, in units of 2^-23.
inline double exp2_error = 0;

}  // namespace emulator

inline void __syncthreads() { emulator::Block::instance().barrier(); }

template <typename T>
T __shfl_xor_sync(unsigned mask, T value, int lane) {
  return emulator::shuffle(1, mask, value, emulator::Block::instance().lane() ^ static_cast<unsigned>(lane));
}

// Lanes beyond the warp's end get their own value back.
template <typename T>
T __shfl_down_sync(unsigned mask, T value, int distance) {
  unsigned from = emulator::Block::instance().lane() + static_cast<unsigned>(distance);
  return emulator::shuffle(2, mask, value, from < emulator::kWarpSize ? from : emulator::Block::instance().lane());
}

inline uint4 __ldcs(const uint4* address) {
  if (reinterpret_cast<std::uintptr_t>(address) % 16 != 0) {
    emulator::fail("128-bit load from a misaligned address");
  }
  uint4 value;
  std::memcpy(&value, address, sizeof value);
  return value;
}

inline float __uint_as_float(unsigned bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

inline double __longlong_as_double(long long bits) {
  double value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }

inline float2 make_float2(float x, float y) { return {x, y}; }

// As ex2.approx.ftz: subnormal results are 0. Its error of up to two units is put on where a test asks.
inline float emulated_exp2f(float x) {
  float result = exp2f(x);
  if (result < 0x1p-126f) {
    return 0;
  }
  return static_cast<float>(result * (1 + emulator::exp2_error * 0x1p-23));
}
#define exp2f emulated_exp2f

using std::isfinite;
