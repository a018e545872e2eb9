// What instrumentation tells: the counters of edges, the numbers that are compared, and which bytes of the arena are loaded.
#include "state.h"

#include <cstring>
#include <initializer_list>

using namespace cct;

namespace {

uint8_t *CountersBegin, *CountersEnd;
struct Location {
  const void *Address;
  uintptr_t Flags; // 1: the entry of a function
};
const Location *LocationsBegin, *LocationsEnd;

uint32_t Traced; // most; not asked of the input: constructors of the unit's own variables run before there is one

// By their number and not by time, it is the same each time where one that does not end is given up.
bool isTraced() {
  if (!Traced)
    return false;
  if (++output().TracedCount >= Traced)
    endRun(OutcomeTimeout, 0);
  return true;
}

// A loop must not take the room of all that is compared behind it. Part of the image's data: all zeros when a run begins.
constexpr uint32_t MostFromSite = 16;
uint8_t FromSite[1u << 14];

void compared(uint64_t Left, uint64_t Right, uint64_t Site) {
  if (!isTraced() || Left == Right)
    return;
  uint8_t &Known = FromSite[mix(0, Site) % sizeof FromSite];
  OutputHeader &O = output();
  if (Known == MostFromSite || O.ComparedCount == MaxCompared)
    return;
  ++Known;
  reinterpret_cast<Compared *>(OutputBase + OutputCompared)[O.ComparedCount++] = {Left, Right, Site};
}

uint64_t addressOf(const void *Caller) { return reinterpret_cast<uint64_t>(Caller); }

bool IsTested; // the function under test is being called

void loaded(const void *Address, uint32_t Size) {
  if (!isTraced())
    return;
  uint64_t Offset = reinterpret_cast<uint64_t>(Address) - ArenaBase;
  auto *Bits = reinterpret_cast<uint8_t *>(OutputBase + OutputLoaded), *ByTested = reinterpret_cast<uint8_t *>(OutputBase + OutputLoadedByTested);
  if (Offset + Size <= OutputLoadedSize * 8)
    for (uint64_t Byte = Offset; Byte < Offset + Size; ++Byte) {
      const auto Bit = static_cast<uint8_t>(1u << Byte % 8);
      Bits[Byte / 8] |= Bit;
      if (IsTested)
        ByTested[Byte / 8] |= Bit;
    }
}

} // namespace

namespace cct {

void describeCoverage() {
  OutputHeader &O = output();
  uint64_t Count = static_cast<uint64_t>(CountersEnd - CountersBegin);
  O.CounterCount = static_cast<uint32_t>(Count < OutputCountersSize ? Count : OutputCountersSize);
  auto *Owner = reinterpret_cast<uint16_t *>(OutputBase + OutputOwner);
  uint16_t Current = 0xFFFF;
  for (uint32_t Index = 0; Index < O.CounterCount; ++Index) {
    if (LocationsBegin + Index < LocationsEnd && (LocationsBegin[Index].Flags & 1)) {
      Current = 0xFFFF;
      for (uint32_t Function = 0; Function < cct_counts[0]; ++Function)
        if (cct_functions[Function].Address == LocationsBegin[Index].Address)
          Current = static_cast<uint16_t>(Function);
      for (uint32_t Local = 0; Local < cct_counts[4]; ++Local)
        if (cct_locals[Local] == LocationsBegin[Index].Address)
          Current = static_cast<uint16_t>(cct_counts[0] + Local);
    }
    Owner[Index] = Current;
  }
}

void beginCoverage() {
  output().ComparedCount = output().TracedCount = 0;
  Traced = input().Trace;
  if (Traced)
    for (uint64_t Where : {OutputLoaded, OutputLoadedByTested})
      memset(reinterpret_cast<void *>(OutputBase + Where), 0, (input().ArenaUsed + 7) / 8);
  if (CountersBegin)
    memset(reinterpret_cast<void *>(OutputBase + OutputCounters), 0, output().CounterCount);
}

void beginCall(uint32_t Function) {
  IsTested = input().Counted == Function + 1;
  if (CountersBegin && (!input().Counted || input().Counted == Function + 1))
    memset(CountersBegin, 0, output().CounterCount);
}

void endCall(uint32_t Function) {
  if (!CountersBegin || (input().Counted && input().Counted != Function + 1))
    return;
  auto *Counts = reinterpret_cast<uint8_t *>(OutputBase + OutputCounters);
  for (uint32_t Index = 0; Index < output().CounterCount; ++Index)
    if (CountersBegin[Index] > Counts[Index])
      Counts[Index] = CountersBegin[Index];
}

} // namespace cct

// The compiler's constructors call the first two before main, its code the others.
extern "C" {
void __sanitizer_cov_8bit_counters_init(uint8_t *Begin, uint8_t *End) {
  CountersBegin = Begin;
  CountersEnd = End;
}
void __sanitizer_cov_pcs_init(const uintptr_t *Begin, const uintptr_t *End) {
  LocationsBegin = reinterpret_cast<const Location *>(Begin);
  LocationsEnd = reinterpret_cast<const Location *>(End);
}
void __sanitizer_cov_load1(const void *Address) { loaded(Address, 1); }
void __sanitizer_cov_load2(const void *Address) { loaded(Address, 2); }
void __sanitizer_cov_load4(const void *Address) { loaded(Address, 4); }
void __sanitizer_cov_load8(const void *Address) { loaded(Address, 8); }
void __sanitizer_cov_load16(const void *Address) { loaded(Address, 16); }
void __sanitizer_cov_trace_cmp1(uint8_t Left, uint8_t Right) { compared(Left, Right, addressOf(__builtin_return_address(0))); }
void __sanitizer_cov_trace_cmp2(uint16_t Left, uint16_t Right) { compared(Left, Right, addressOf(__builtin_return_address(0))); }
void __sanitizer_cov_trace_cmp4(uint32_t Left, uint32_t Right) { compared(Left, Right, addressOf(__builtin_return_address(0))); }
void __sanitizer_cov_trace_cmp8(uint64_t Left, uint64_t Right) { compared(Left, Right, addressOf(__builtin_return_address(0))); }
void __sanitizer_cov_trace_const_cmp1(uint8_t Left, uint8_t Right) { compared(Left, Right, addressOf(__builtin_return_address(0))); }
void __sanitizer_cov_trace_const_cmp2(uint16_t Left, uint16_t Right) { compared(Left, Right, addressOf(__builtin_return_address(0))); }
void __sanitizer_cov_trace_const_cmp4(uint32_t Left, uint32_t Right) { compared(Left, Right, addressOf(__builtin_return_address(0))); }
void __sanitizer_cov_trace_const_cmp8(uint64_t Left, uint64_t Right) { compared(Left, Right, addressOf(__builtin_return_address(0))); }
void __sanitizer_cov_trace_switch(uint64_t Value, const uint64_t *Cases) {
  for (uint64_t Index = 0; Traced && Index < Cases[0] && Index < 64; ++Index)
    compared(Value, Cases[2 + Index], mix(addressOf(__builtin_return_address(0)), Index + 1));
}
}
