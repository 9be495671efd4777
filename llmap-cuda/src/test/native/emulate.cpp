// Runs one kernel on the emulator. Standard input, in the machine's byte order:
//
//   int32 length, bytes       name of the kernel
//   int32 x, int32 y          grid
//   int32                     threads of a block
//   int32                     order of the threads' turns: 0 ascending, 1 descending, others shuffled
//   double                    relative error of exp2f in units of 2^-23
//   int32                     number of arguments; then each as
//     'i', int32 | 'l', int64 | 'b', int64 size, bytes: a buffer | 'o', int64 size: a result, filled with 0xff |
//     'f', int64 distance, int64 size, bytes: two halves of a buffer whose starts lie this far apart
//
// Standard output: the results, then the results again of a second run. In the first run each buffer ends where
// unreadable memory begins, in the second each begins where it ends; inputs are read-only. A 128-bit alignment
// of the logits may differ between the two, and with it the last bits of a result.
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <type_traits>
#include <utility>

#include "log_prob.cu"

namespace {

struct Argument {
  char kind;
  long long number = 0;  // its value, its size, or its distance
  std::vector<char> bytes;
  char* address = nullptr;
};

void read_exactly(void* target, std::size_t size) {
  if (std::fread(target, 1, size, stdin) != size) {
    emulator::fail("request ends early");
  }
}

template <typename T>
T read_number() {
  T number;
  read_exactly(&number, sizeof number);
  return number;
}

const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));

char* reserve(std::size_t size) {
  void* memory = mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    emulator::fail("no address space");
  }
  return static_cast<char*>(memory);
}

void protect(char* first, std::size_t size, int protection) {
  char* page_start = first - reinterpret_cast<std::uintptr_t>(first) % page;
  std::size_t pages = (static_cast<std::size_t>(first + size - page_start) + page - 1) / page;
  if (size > 0 && mprotect(page_start, pages * page, protection) != 0) {
    emulator::fail("no memory");
  }
}

void fill(char* target, const char* bytes, std::size_t size, bool read_only) {
  protect(target, size, PROT_READ | PROT_WRITE);
  std::memcpy(target, bytes, size);
  if (read_only) {
    protect(target, size, PROT_READ);
  }
}

// Between unreadable pages.
void place(Argument& argument, bool at_end) {
  std::size_t size = argument.bytes.size();
  const char* bytes = argument.bytes.data();
  if (argument.kind == 'f') {
    std::size_t half = size / 2;
    std::size_t distance = static_cast<std::size_t>(argument.number);
    argument.address = reserve(distance + half + 3 * page) + page;
    fill(argument.address, bytes, half, true);
    fill(argument.address + distance, bytes + half, half, true);
    return;
  }
  std::size_t body = (size + page - 1) / page * page;
  argument.address = reserve(body + 2 * page) + page + (at_end ? body - size : 0);
  fill(argument.address, bytes, size, argument.kind == 'b');
}

std::vector<Argument>* arguments;

template <typename T>
T at(std::size_t i) {
  if constexpr (std::is_pointer_v<T>) {
    return reinterpret_cast<T>((*arguments)[i].address);
  } else {
    return static_cast<T>((*arguments)[i].number);
  }
}

template <typename... T, std::size_t... I>
std::function<void()> call_of(void (*kernel)(T...), std::index_sequence<I...>) {
  if (arguments->size() != sizeof...(T)) {
    emulator::fail("wrong number of arguments");
  }
  bool fits[] = {(std::is_pointer_v<T> ? (*arguments)[I].address != nullptr
                                       : (*arguments)[I].kind == (sizeof(T) == 8 ? 'l' : 'i'))...};
  for (bool fit : fits) {
    if (!fit) {
      emulator::fail("argument of another type");
    }
  }
  return [kernel] { kernel(at<T>(I)...); };
}

template <typename... T>
std::function<void()> call_of(void (*kernel)(T...)) {
  return call_of(kernel, std::index_sequence_for<T...>());
}

// Wrong on purpose: the emulator has to find them.

void fault_barrier(double*) {
  if (threadIdx.x != 7) {
    __syncthreads();
  }
}

void fault_shuffle(double* out) {
  if (threadIdx.x != 40) {
    out[threadIdx.x] = __shfl_xor_sync(0xffffffffu, 1.0, 1);
  }
}

void fault_overrun(double* out) { out[threadIdx.x + 1] = threadIdx.x; }

void fault_underrun(double* out) { out[static_cast<int>(threadIdx.x) - 1] = threadIdx.x; }

void fault_misaligned(double* out) {
  out[threadIdx.x] = __ldcs(reinterpret_cast<const uint4*>(reinterpret_cast<const char*>(out) + 8 * threadIdx.x)).x;
}

void fault_race(double* out) {
  static double shared[256];
  shared[threadIdx.x] = threadIdx.x + 1;
  out[threadIdx.x] = shared[blockDim.x - 1 - threadIdx.x];
}

std::function<void()> kernel_named(const std::string& name) {
#define KERNEL(kernel)        \
  if (name == #kernel) {      \
    return call_of(kernel);      \
  }
  KERNEL(llmap_log_probs_f32)
  KERNEL(llmap_log_probs_f16)
  KERNEL(llmap_log_probs_bf16)
  KERNEL(llmap_log_probs_split_f32)
  KERNEL(llmap_log_probs_split_f16)
  KERNEL(llmap_log_probs_split_bf16)
  KERNEL(llmap_log_probs_combine_f32)
  KERNEL(llmap_log_probs_combine_f16)
  KERNEL(llmap_log_probs_combine_bf16)
  KERNEL(llmap_segment_sums)
  KERNEL(llmap_gram_f64)
  KERNEL(llmap_gram_f32)
  KERNEL(llmap_squared_distances_f64)
  KERNEL(fault_barrier)
  KERNEL(fault_shuffle)
  KERNEL(fault_overrun)
  KERNEL(fault_underrun)
  KERNEL(fault_misaligned)
  KERNEL(fault_race)
#undef KERNEL
  emulator::fail("no kernel " + name);
}

void on_bad_access(int) {
  static const char message[] = "emulator: access outside a buffer\n";
  (void)!write(2, message, sizeof message - 1);
  _exit(3);
}

}  // namespace

int main() {
  // On a stack of its own: the fibres' are small, and theirs may be what overflowed.
  static char signal_stack[64 * 1024];
  stack_t stack = {};
  stack.ss_sp = signal_stack;
  stack.ss_size = sizeof signal_stack;
  sigaltstack(&stack, nullptr);
  struct sigaction action = {};
  action.sa_handler = on_bad_access;
  action.sa_flags = SA_ONSTACK;
  sigaction(SIGSEGV, &action, nullptr);
  sigaction(SIGBUS, &action, nullptr);

  std::string name(static_cast<std::size_t>(read_number<std::int32_t>()), ' ');
  read_exactly(name.data(), name.size());
  dim3 grid;
  grid.x = static_cast<unsigned>(read_number<std::int32_t>());
  grid.y = static_cast<unsigned>(read_number<std::int32_t>());
  unsigned threads = static_cast<unsigned>(read_number<std::int32_t>());
  unsigned order = static_cast<unsigned>(read_number<std::int32_t>());
  emulator::exp2_error = read_number<double>();
  std::vector<Argument> all(static_cast<std::size_t>(read_number<std::int32_t>()));
  for (Argument& argument : all) {
    argument.kind = read_number<char>();
    argument.number = argument.kind == 'i' ? read_number<std::int32_t>() : read_number<std::int64_t>();
    if (argument.kind == 'b' || argument.kind == 'f') {
      argument.bytes.resize(
          static_cast<std::size_t>(argument.kind == 'b' ? argument.number : read_number<std::int64_t>()));
      read_exactly(argument.bytes.data(), argument.bytes.size());
    } else if (argument.kind == 'o') {
      argument.bytes.assign(static_cast<std::size_t>(argument.number), static_cast<char>(0xff));
    }
  }
  arguments = &all;
  for (bool at_end : {true, false}) {
    for (Argument& argument : all) {
      if (argument.kind != 'i' && argument.kind != 'l') {
        place(argument, at_end);
      }
    }
    emulator::launch(grid, threads, order, kernel_named(name));
    for (const Argument& argument : all) {
      if (argument.kind == 'o') {
        std::fwrite(argument.address, 1, argument.bytes.size(), stdout);
      }
    }
  }
  return 0;
}
