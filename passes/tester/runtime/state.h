// What the runtime remembers during a run. None of it lies in the image's data: that is restored before each run.
#pragma once

#include "../shared/layout.h"

#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>

extern "C" {
extern const uint32_t cct_counts[5];
extern const cct::FunctionEntry cct_functions[];
extern const cct::GlobalEntry cct_globals[];
extern const cct::StubEntry cct_stubs[];
extern const cct::StubEntry cct_callbacks[];
extern const void *const cct_locals[];
void __asan_poison_memory_region(const volatile void *, size_t) __attribute__((weak));
void __asan_unpoison_memory_region(const volatile void *, size_t) __attribute__((weak));
extern char cct_data_begin[] __attribute__((weak)), cct_data_end[] __attribute__((weak));
extern char cct_bss_begin[] __attribute__((weak)), cct_bss_end[] __attribute__((weak));
int __asan_address_is_poisoned(const volatile void *) __attribute__((weak));
void *__asan_region_is_poisoned(void *, uint64_t) __attribute__((weak));
void tysan_set_type_unknown(const void *, uint64_t) __attribute__((weak));
void *__asan_get_current_fake_stack(void) __attribute__((weak));
void *__asan_addr_is_in_fake_stack(void *, void *, void **, void **) __attribute__((weak));
}

namespace cct {

constexpr uint32_t MaxBlocks = 1u << 16;
constexpr uint32_t MaxStubCounts = 4096;
constexpr uint32_t MaxStreams = 8;
constexpr uint32_t MaxRanges = 16;

struct BlockEntry {
  uint64_t Address;
  uint32_t Size;
  uint32_t Number; // 1 and up in the order in which blocks are seen; 0: not seen yet
  bool Freed;
  uint64_t Checksum, Hash; // of its bytes when they were hashed last, and what that gave; Checksum 0: never
};

struct Range {
  uint8_t *Begin;
  uint64_t Size;
  uint8_t *Copy;
};

struct State {
  // Configuration
  uint8_t Fill;          // makes what fresh memory holds other than in other variants
  uint64_t FreshBefore;  // what nobody has written is made of this while constructors run
  bool Sanitized;        // this is the variant with AddressSanitizer
  bool Observed;         // what it leaves is compared
  int ReportDescriptor;
  uint64_t ImageBegin, ImageEnd;
  uint64_t OwnStackEnd;  // of the sanitized variant, which does not run on ours
  uint64_t ArenaOpened;  // so far it may have taken the poison off the arena
  uint32_t RangeCount, ImageRanges; // those of the image come first
  Range Ranges[MaxRanges];
  bool Constructing;     // main has not begun
  uint64_t Break;        // where the C library's own heap ended when main began; 0: it is not put back
  uint32_t LibraryHeap;  // the range that it is
  uint64_t Constructed;  // so much of the heap constructors have used, with so many blocks
  uint32_t ConstructedBlocks;
  // This run
  jmp_buf Jump, Out;     // to where the calls are made; to where they were begun, on another stack
  uint64_t Begin;        // of processor time
  uint64_t Fresh;        // what nobody has written is made of this
  bool InCall;
  bool NoAlias;          // the function under test has restrict parameters: memory is not looked at from within
  uint32_t Outcome;
  uint64_t Detail;
  uint64_t HeapUsed;
  uint32_t Blocks, NextNumber;
  uint32_t Requests;
  uint64_t RequestHash;
  uint64_t TraceHash;
  uint32_t TraceEvents, TextSize;
  uint64_t StreamHash[MaxStreams];
  uint64_t StreamKey[MaxStreams];
  uint32_t Streams;
  uint32_t StubCalls[MaxStubCounts];
  uint8_t ArenaFreed[MaxObjects];
  BlockEntry Block[MaxBlocks];
  uint32_t Order[MaxBlocks]; // block by number - 1
};

inline State &state() { return *reinterpret_cast<State *>(StateBase); }
inline const InputHeader &input() { return *reinterpret_cast<const InputHeader *>(InputBase); }
inline OutputHeader &output() { return *reinterpret_cast<OutputHeader *>(OutputBase); }

inline uint64_t mix(uint64_t Hash, uint64_t Value) {
  Hash = (Hash ^ Value) * 0x9E3779B97F4A7C15ull;
  return Hash ^ (Hash >> 29);
}

// What memory holds that nobody has written: different in each word, so that no two cancel out, and in each variant.
// The lowest byte, too, depends on the variant: a text's first letters that nobody wrote must not be the same in all.
inline uint64_t freshness(uint32_t Refill) { return mix(1, state().Fill + 256 * Refill); }
inline uint64_t unwritten(uint64_t Address) {
  // What constructors left unwritten stays as it was then.
  return mix(Address - HeapBase < state().Constructed ? state().FreshBefore : state().Fresh, Address / 8);
}

// begin.cpp
[[noreturn]] void fail(const char *What);
void endConstruction(int InputDescriptor);

// poison.cpp: for the sanitized variant
bool poisonFreeFrames(); // false: its stack is not as we know it
void poisonObjects();
void poisonBehindGlobals();

// call.cpp: ends the run from within; returns only when no run is on.
void restore(const Range &R);
uint64_t processorTime(); // of this process, in nanoseconds
bool isOutOfTime();       // when the timer has gone off, which is set again if not
void endRun(uint32_t Outcome, uint64_t Detail);
// The same where the stack that the calls are made on may be destroyed.
[[noreturn]] void abandonRun(uint32_t Outcome, uint64_t Detail);
void run();

// Whether an address is that of a local variable, or one moved by what another unit answered: where locals lie, each build decides.
inline bool isNearStack(uint64_t Address) {
  constexpr uint64_t Farthest = 32ull << 30;
  return Address - (StackBase - Farthest) < 2 * Farthest;
}

// Whether an address is where a function's result is put.
inline bool isResult(uint64_t Address) {
  return Address - OutputBase - offsetof(OutputHeader, Results) < sizeof(OutputHeader::Results);
}

// allocate.cpp
void *allocate(uint64_t Size, uint64_t Alignment, bool Zero);
BlockEntry *blockOf(uint64_t Address);
// The arena's object that an address lies in, or -1.
int objectOf(uint64_t Address);

// observe.cpp
struct Canonical {
  char Kind; // '0' null, 'a' arena, 'h' heap, 'f' function, 'g' global, 'i' image, 's' stack, 'x' anything else
  uint64_t Number, Offset;
};
Canonical canonical(uint64_t Address);
// Fresh: what nobody wrote since it was allocated is left out.
uint64_t hashRange(uint64_t Hash, const uint8_t *Bytes, uint64_t Size, const uint8_t *Mask, bool Fresh = false);
uint64_t hashMemory(uint64_t Hash); // arena, globals, and the heap blocks seen so far with what they lead to
void observe();

// trace.cpp: what is printed in explain mode
void explain(const char *Format, ...) __attribute__((format(printf, 1, 2)));
void explainPointer(uint64_t Address);

// coverage.cpp
void describeCoverage();
void beginCoverage();
void beginCall(uint32_t Function); // restored data hold no counts
void endCall(uint32_t Function);

// copy.cpp. Nothing is instrumented here: in the sanitized variant, what may not be accessed ends the run.
void checkAccess(const void *Bytes, size_t Size);

// format.cpp: a format that lacks a text ends the run. Arguments stay as they are.
void checkFormat(const char *Format, va_list Arguments);

// sandbox.cpp
void enterNamespaces();
void restrictWorker();
void installHandlers();

} // namespace cct
