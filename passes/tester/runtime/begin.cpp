// What has to be there before anything else runs: the constructors of the unit's variables already allocate, and call other units.
// What they leave is where every input begins.
#include "state.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

extern "C" char __executable_start;

namespace cct {
namespace {

void map(uint64_t Address, uint64_t Size, int Descriptor, bool Writable, int Fixed = MAP_FIXED_NOREPLACE) {
  int Kind = Descriptor >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
  void *Wanted = reinterpret_cast<void *>(Address);
  // The system call itself: TypeSanitizer's mmap writes eight bytes for each that is mapped, which takes most of a second.
  long Got = syscall(SYS_mmap, Wanted, Size, PROT_READ | (Writable ? PROT_WRITE : 0), Kind | Fixed | MAP_NORESERVE, Descriptor, 0L);
  if (Got != reinterpret_cast<long>(Wanted))
    fail("mapping a fixed address");
}

// Writes the jumps to the callbacks.
void makeCallbacks() {
  constexpr uint64_t Size = MaxCallbacks * CallbackStride;
  map(CallbackBase, Size, -1, true);
  for (uint32_t Index = 0; Index < cct_counts[3] && Index < MaxCallbacks; ++Index) {
    auto *Code = reinterpret_cast<uint8_t *>(CallbackBase + Index * CallbackStride);
    const void *Target = cct_callbacks[Index].Address;
#if defined(__x86_64__)
    const uint8_t Load[] = {0x49, 0xBB}, Jump[] = {0x41, 0xFF, 0xE3}; // movabs $Target, %r11; jmp *%r11
    memcpy(Code, Load, 2);
    memcpy(Code + 2, &Target, 8);
    memcpy(Code + 10, Jump, 3);
#elif defined(__aarch64__)
    const uint32_t Jump[] = {0x58000050, 0xD61F0200}; // ldr x16, 8; br x16
    memcpy(Code, Jump, 8);
    memcpy(Code + 8, &Target, 8);
    __builtin___clear_cache(reinterpret_cast<char *>(Code), reinterpret_cast<char *>(Code + 16));
#endif
  }
  mprotect(reinterpret_cast<void *>(CallbackBase), Size, PROT_READ | PROT_EXEC);
}

// Before the constructors, also of the C++ library. What the controller wants next must make no difference to them: the input is
// all zeros until main.
void beginConstruction(int Count, char **Arguments, char **) {
  if (Count != 8)
    return;
  map(InputBase, InputSize, -1, false);
  map(OutputBase, OutputSize, atoi(Arguments[2]), true);
  map(ArenaBase, ArenaSize, atoi(Arguments[3]), true);
  map(HeapBase, HeapSize, -1, true);
  map(StackBase, StackSize, -1, true);
  map(StateBase, sizeof(State), -1, true);
  map(ArgumentsBase, InputArgumentsSize, -1, true);
  makeCallbacks();
  State &S = state();
  S.Constructing = true;
  S.ReportDescriptor = atoi(Arguments[5]);
  S.Fill = static_cast<uint8_t>(atoi(Arguments[6]));
  S.Fresh = S.FreshBefore = freshness(0);
  auto Flags = static_cast<uint32_t>(atoi(Arguments[7]));
  S.Sanitized = (Flags & VariantSanitized) && __asan_poison_memory_region;
  S.Observed = !(Flags & VariantUncompared);
  S.ImageBegin = reinterpret_cast<uint64_t>(&__executable_start);
}

__attribute__((section(".preinit_array"), used)) void (*const Early)(int, char **, char **) = beginConstruction;

} // namespace

void fail(const char *What) {
  perror(What);
  _exit(3);
}

void endConstruction(int InputDescriptor) {
  map(InputBase, InputSize, InputDescriptor, false, MAP_FIXED);
  State &S = state();
  S.Constructing = false;
  S.Constructed = S.HeapUsed;
  S.ConstructedBlocks = S.Blocks;
  for (uint32_t Index = 0; Index < S.Blocks; ++Index)
    S.Block[Index].Checksum = S.Block[Index].Number = 0;
}

} // namespace cct
