// The part of CUDA's header that the kernels use, for the emulator.
#pragma once

#include "emulator.hpp"

struct __half {
  unsigned short bits;
};

inline __half __ushort_as_half(unsigned short bits) { return {bits}; }

inline float __half2float(__half value) {
  int exponent = value.bits >> 10 & 31;
  int fraction = value.bits & 1023;
  float size = exponent == 31  ? (fraction == 0 ? INFINITY : NAN)
               : exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
                               : std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
  return value.bits >> 15 ? -size : size;
}
