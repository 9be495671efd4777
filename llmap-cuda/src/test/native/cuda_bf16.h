// The part of CUDA's header that the kernels use, for the emulator.
#pragma once

#include "emulator.hpp"

struct __nv_bfloat16 {
  unsigned short bits;
};

inline float __bfloat162float(__nv_bfloat16 value) {
  return __uint_as_float(static_cast<unsigned>(value.bits) << 16);
}
