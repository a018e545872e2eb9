// What the sanitized variant is told besides: memory that no object has, but that AddressSanitizer lets pass.
#include "state.h"

extern "C" {
// A frame for local variables of the smallest size, and one of the largest.
uint64_t __asan_stack_malloc_always_0(uint64_t Size) __attribute__((weak));
uint64_t __asan_stack_malloc_always_10(uint64_t Size) __attribute__((weak));
void __asan_stack_free_0(uint64_t Frame, uint64_t Size) __attribute__((weak));
void __asan_stack_free_10(uint64_t Frame, uint64_t Size) __attribute__((weak));
}

namespace cct {

// The sanitizer's stack for local variables has frames one beside the other. Those that no call has had yet may be read and
// written in its eyes: an index that is far out of bounds would go unseen. A call takes the mark off its own.
// No more than the stack: errno may lie in the very next page. So it is asked where its first and its last frame lie, and whether
// that is as we know it is looked at; if not, nothing is marked.
bool poisonFreeFrames() {
  // Source: compiler-rt, asan_fake_stack.h: eleven classes of frames, of 64 bytes to 64 KiB, each as large as
  // max_uar_stack_size_log=16 says; before them a head and flags.
  constexpr uint64_t Smallest = 64, Class = 1u << 16, Classes = 11, LargestHead = 16384;
  auto *Stack = static_cast<uint8_t *>(__asan_get_current_fake_stack ? __asan_get_current_fake_stack() : nullptr);
  if (!Stack || !__asan_stack_malloc_always_0 || !__asan_stack_malloc_always_10 || !__asan_stack_free_0 || !__asan_stack_free_10)
    return false;
  uint64_t First = __asan_stack_malloc_always_0(Smallest), Last = __asan_stack_malloc_always_10(Class);
  uint64_t Head = Last - (Classes - 1) * Class - reinterpret_cast<uint64_t>(Stack);
  bool Known = First && Last && Head && Head <= LargestHead && First - reinterpret_cast<uint64_t>(Stack) - Head < Class;
  if (First)
    __asan_stack_free_0(First, Smallest);
  if (Last)
    __asan_stack_free_10(Last, Class);
  if (!Known)
    return false;
  __asan_poison_memory_region(Stack, Head + Classes * Class);
  uint64_t Taken = __asan_stack_malloc_always_0(Smallest);
  bool Marked = !__asan_address_is_poisoned(reinterpret_cast<void *>(Taken)) &&
                __asan_address_is_poisoned(reinterpret_cast<void *>(Taken + Smallest));
  __asan_stack_free_0(Taken, Smallest);
  if (!Marked)
    __asan_unpoison_memory_region(Stack, Head + Classes * Class);
  return Marked;
}

void poisonObjects() {
  __asan_poison_memory_region(reinterpret_cast<void *>(ArenaBase), ArenaSize);
  __asan_poison_memory_region(reinterpret_cast<void *>(HeapBase), HeapSize);
}

void poisonBehindGlobals() {
  for (uint32_t Index = 0; Index < cct_counts[1]; ++Index)
    if (const GlobalEntry &G = cct_globals[Index]; G.Address && (G.Flags & GlobalForeign)) {
      bool Apart = (G.Flags & GlobalApart) && reinterpret_cast<uint64_t>(G.Address) % GlobalsApart == 0;
      __asan_poison_memory_region(G.Address + G.Size, Apart ? GlobalsApart - G.Size % GlobalsApart : uint64_t{GlobalRedZone});
    }
}

} // namespace cct
