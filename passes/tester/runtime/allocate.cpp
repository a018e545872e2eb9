// malloc and its family, and new, of the unit and of the C++ library: blocks at addresses that depend on nothing but the calls,
// filled with the variant's pattern. And memcpy, which is wrong where it may not be used.
#include "state.h"

#include <cerrno>
#include <cstring>

namespace cct {

constexpr uint64_t RedZone = 32;
constexpr uint64_t LargestBlock = 16u << 20;
constexpr uint64_t FarApart = 256u << 10;

// What is new holds what nobody wrote. Megabytes are, so this is as simple as it can be.
static void fill(uint8_t *Memory, uint64_t Size) {
  const uint64_t Fresh = state().Fresh, First = reinterpret_cast<uint64_t>(Memory) / 8, Words = Size / 8;
  auto *Word = reinterpret_cast<uint64_t *>(Memory);
  for (uint64_t Index = 0; Index < Words; ++Index)
    Word[Index] = mix(Fresh, First + Index);
  const uint64_t Last = mix(Fresh, First + Words);
  memcpy(Memory + Words * 8, &Last, Size % 8);
}

void *allocate(uint64_t Size, uint64_t Alignment, bool Zero) {
  State &S = state();
  // A run that asks for very much says nothing: an optimizer may drop the request.
  uint64_t Between = input().Apart && S.Sanitized && S.HeapUsed < HeapSize / 2 ? FarApart : RedZone;
  if (Size > LargestBlock || S.Blocks == MaxBlocks || S.HeapUsed + Size + Between + RedZone + Alignment > HeapSize)
    endRun(OutcomeLimit, 0);
  if (Size > LargestBlock)
    return nullptr;
  if (Alignment < 16)
    Alignment = 16;
  uint64_t Address = (HeapBase + S.HeapUsed + Between + Alignment - 1) & ~(Alignment - 1);
  S.HeapUsed = ((Address + Size + 15) & ~15ull) - HeapBase;
  S.Block[S.Blocks++] = {Address, static_cast<uint32_t>(Size), 0, false, 0, 0};
  auto *Memory = reinterpret_cast<uint8_t *>(Address);
  if (S.Sanitized) {
    __asan_poison_memory_region(Memory - RedZone, RedZone);
    __asan_unpoison_memory_region(Memory, Size);
    __asan_poison_memory_region(Memory + ((Size + 7) & ~7ull), RedZone);
    if (Size & 7) {
      __asan_poison_memory_region(Memory + (Size & ~7ull), 8);
      __asan_unpoison_memory_region(Memory + (Size & ~7ull), Size & 7);
    }
  }
  if (tysan_set_type_unknown) // an earlier run gave it one
    tysan_set_type_unknown(Memory, Size);
  if (Zero)
    memset(Memory, 0, Size);
  else
    fill(Memory, Size);
  return Memory;
}

BlockEntry *blockOf(uint64_t Address) {
  State &S = state();
  uint32_t Low = 0, High = S.Blocks;
  while (Low < High) {
    uint32_t Middle = (Low + High) / 2;
    if (S.Block[Middle].Address <= Address)
      Low = Middle + 1;
    else
      High = Middle;
  }
  if (Low == 0)
    return nullptr;
  BlockEntry &B = S.Block[Low - 1];
  // One past the end belongs to it, too.
  return Address <= B.Address + B.Size ? &B : nullptr;
}

int objectOf(uint64_t Address) {
  if (Address < ArenaBase || Address >= ArenaBase + ArenaSize)
    return -1;
  uint64_t Offset = Address - ArenaBase;
  uint32_t Low = 0, High = input().Objects;
  while (Low < High) {
    uint32_t Middle = (Low + High) / 2;
    if (input().Object[Middle].Offset <= Offset)
      Low = Middle + 1;
    else
      High = Middle;
  }
  if (Low == 0 || Offset > input().Object[Low - 1].Offset + input().Object[Low - 1].Size)
    return -1;
  return static_cast<int>(Low - 1);
}

namespace {

void undefinedIf(bool Wrong) {
  if (Wrong && state().Sanitized)
    __builtin_trap();
  if (Wrong)
    endRun(OutcomeBadFree, 0);
}

void release(void *Pointer) {
  if (!Pointer)
    return;
  auto Address = reinterpret_cast<uint64_t>(Pointer);
  if (BlockEntry *B = blockOf(Address)) {
    undefinedIf(B->Freed || B->Address != Address);
    B->Freed = true;
    if (state().Sanitized)
      __asan_poison_memory_region(Pointer, B->Size);
  } else if (int Object = objectOf(Address); Object >= 0) {
    undefinedIf(state().ArenaFreed[Object] || Address != ArenaBase + input().Object[Object].Offset);
    state().ArenaFreed[Object] = 1;
    if (state().Sanitized)
      __asan_poison_memory_region(Pointer, input().Object[Object].Size);
  } else {
    // What is none of ours the C++ library has allocated itself; code that was inlined into the unit may free it.
    const State &S = state();
    bool Ours = (Address >= ArenaBase && Address < ArenaBase + ArenaSize) || (Address >= HeapBase && Address < HeapBase + HeapSize) ||
                (Address >= StackBase && Address < StackBase + StackSize) || (Address >= S.ImageBegin && Address < S.ImageEnd);
    undefinedIf(Ours || S.Sanitized);
  }
}

uint64_t sizeOf(void *Pointer) {
  auto Address = reinterpret_cast<uint64_t>(Pointer);
  if (BlockEntry *B = blockOf(Address))
    return B->Size;
  int Object = objectOf(Address);
  return Object >= 0 ? input().Object[Object].Size : 0;
}

// What the unit itself asks for, where it may be told that there is none.
void *request(uint64_t Size, uint64_t Alignment, bool Zero) {
  State &S = state();
  S.RequestHash = mix(S.RequestHash, Size);
  return ++S.Requests == input().Denied ? nullptr : allocate(Size, Alignment, Zero);
}

bool overflows(size_t A, size_t B) { return B && A > SIZE_MAX / B; }

} // namespace
} // namespace cct

using namespace cct;

extern "C" {
void *cct_m_malloc(size_t Size) { return request(Size, 16, false); }
void *cct_m_calloc(size_t Count, size_t Size) { return overflows(Count, Size) ? nullptr : request(Count * Size, 16, true); }
void *cct_m_valloc(size_t Size) { return request(Size, 4096, false); }
void cct_m_free(void *Pointer) { release(Pointer); }
void cct_m_cfree(void *Pointer) { release(Pointer); }
size_t cct_m_malloc_usable_size(void *Pointer) { return sizeOf(Pointer); }

void *cct_m_realloc(void *Pointer, size_t Size) {
  if (Pointer && Size == 0) {
    release(Pointer);
    return nullptr;
  }
  void *Result = request(Size, 16, false);
  if (Pointer && Result) {
    uint64_t Old = sizeOf(Pointer);
    memcpy(Result, Pointer, Old < Size ? Old : Size);
    release(Pointer);
  }
  return Result;
}
void *cct_m_reallocarray(void *Pointer, size_t Count, size_t Size) {
  return overflows(Count, Size) ? nullptr : cct_m_realloc(Pointer, Count * Size);
}
void *cct_m_aligned_alloc(size_t Alignment, size_t Size) { return request(Size, Alignment, false); }
void *cct_m_memalign(size_t Alignment, size_t Size) { return request(Size, Alignment, false); }
int cct_m_posix_memalign(void **Result, size_t Alignment, size_t Size) {
  if (Alignment < sizeof(void *) || (Alignment & (Alignment - 1)))
    return EINVAL;
  void *Memory = request(Size, Alignment, false);
  if (!Memory)
    return ENOMEM;
  *Result = Memory;
  return 0;
}
char *cct_m_strdup(const char *Text) {
  size_t Size = strlen(Text) + 1;
  return static_cast<char *>(memcpy(allocate(Size, 16, false), Text, Size));
}
char *cct_m___strdup(const char *Text) { return cct_m_strdup(Text); }
char *cct_m_strndup(const char *Text, size_t Limit) {
  size_t Size = strnlen(Text, Limit);
  auto *Result = static_cast<char *>(allocate(Size + 1, 16, false));
  memcpy(Result, Text, Size);
  Result[Size] = 0;
  return Result;
}

// operator new and delete, by their mangled names. The C++ library's own code gets them, too: what it allocates, code that was inlined
// into the unit may free, and the other way round.
#define NEW(NAME, PARAMETERS, ALIGNMENT)                                                                                         \
  void *cct_m_##NAME PARAMETERS { return allocate(Size, ALIGNMENT, false); }                                                     \
  void *NAME PARAMETERS __attribute__((alias("cct_m_" #NAME)));
#define DELETE(NAME, PARAMETERS)                                                                                                 \
  void cct_m_##NAME PARAMETERS { release(Pointer); }                                                                             \
  void NAME PARAMETERS __attribute__((alias("cct_m_" #NAME)));

NEW(_Znwm, (size_t Size), 16)
NEW(_Znam, (size_t Size), 16)
NEW(_ZnwmRKSt9nothrow_t, (size_t Size, const void *), 16)
NEW(_ZnamRKSt9nothrow_t, (size_t Size, const void *), 16)
NEW(_ZnwmSt11align_val_t, (size_t Size, size_t Alignment), Alignment)
NEW(_ZnamSt11align_val_t, (size_t Size, size_t Alignment), Alignment)
DELETE(_ZdlPv, (void *Pointer))
DELETE(_ZdaPv, (void *Pointer))
DELETE(_ZdlPvm, (void *Pointer, size_t))
DELETE(_ZdaPvm, (void *Pointer, size_t))
DELETE(_ZdlPvRKSt9nothrow_t, (void *Pointer, const void *))
DELETE(_ZdaPvRKSt9nothrow_t, (void *Pointer, const void *))
DELETE(_ZdlPvSt11align_val_t, (void *Pointer, size_t))
DELETE(_ZdaPvSt11align_val_t, (void *Pointer, size_t))
DELETE(_ZdlPvmSt11align_val_t, (void *Pointer, size_t, size_t))
DELETE(_ZdaPvmSt11align_val_t, (void *Pointer, size_t, size_t))
}
