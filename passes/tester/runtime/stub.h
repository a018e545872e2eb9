// What stubs, their trace and their answers share: how they read their arguments, and what is known of these.
#pragma once

#include "state.h"

#include <cstring>

namespace cct {

inline uint64_t random(uint64_t A, uint64_t B) {
  uint64_t Hash = mix(mix(0x1234567, A), B);
  Hash = (Hash ^ (Hash >> 31)) * 0xBF58476D1CE4E5B9ull;
  return Hash ^ (Hash >> 27);
}

inline uint64_t number(const StubArgument &A, const uint8_t *Arguments) {
  uint64_t Value = 0;
  memcpy(&Value, Arguments + A.Offset, A.Size < 8 ? A.Size : 8);
  return Value;
}

// Where what is known of an argument lies.
inline uint32_t knownArgument(const StubEntry &E, uint32_t Index) {
  return stubArgument(E.Index, (E.Flags & StubCallback) != 0, Index);
}

// Which fields of what it points to hold what nobody wrote.
inline const UnwrittenFields &unwrittenFields(uint32_t Known) {
  return reinterpret_cast<const UnwrittenFields *>(InputBase + InputUnwritten)[Known];
}

// What the sanitized variant finds out about an argument, for all others.
inline void mark(uint32_t Known, uint8_t What) {
  reinterpret_cast<uint8_t *>(OutputBase + OutputNotString)[Known] |= What;
  output().AnyNotString = 1;
}

inline bool isMarked(uint32_t Known, uint8_t What) { return input().AnyNotString && (input().NotString[Known] & What); }

// Local variables, or where a structure is to be returned to: which of both, the optimizer may choose.
bool onStack(uint64_t Address);
bool readable(uint64_t Address, uint64_t Size);

// trace.cpp: one event of the trace.
void record(const StubEntry &E, const uint8_t *Arguments);

// answers.cpp: what comes back.
uint64_t integerAnswer(uint64_t Random);
uint64_t pointerAnswer(const StubEntry &E, const uint8_t *Arguments, uint64_t Random);
// The callee may write what it was given the address of: all of it, where it is to be filled, or some numbers.
void writeThrough(const StubEntry &E, const uint8_t *Arguments, uint64_t Random);
// And what it was not given, where the input says so.
void clobber();

} // namespace cct
