// Each call of a function of another unit, or of a callback, is an event of the trace: hashed, and in explain mode printed.
#include "stub.h"

#include <cstdarg>
#include <cstdio>

namespace cct {
namespace {

constexpr uint32_t MaxMemoryEvents = 256;
constexpr uint32_t MaxMemoryLooked = 2u << 20;

// How many calls of a run look at memory: not many, where there is much of it. The same number in all variants.
uint32_t memoryEvents() {
  uint32_t Fitting = MaxMemoryLooked / (input().ArenaUsed + 1);
  return Fitting < 4 ? 4 : Fitting < MaxMemoryEvents ? Fitting : MaxMemoryEvents;
}

// Local variables whose address is passed: what the callee could read of them, but for what nobody wrote.
uint64_t hashFields(uint64_t Hash, const StubArgument &A, uint64_t Address, uint32_t Known) {
  const UnwrittenFields &Unwritten = unwrittenFields(Known);
  OutputHeader &O = output();
  for (uint32_t Index = 0; Index < A.FieldCount && O.SeenCount < MaxSeen; ++Index) {
    const PointeeField &F = A.Fields[Index];
    if (Unwritten.has(Index) || (onStack(Address) && !readable(Address + F.Offset, F.Size)))
      continue;
    const auto *Bytes = reinterpret_cast<const uint8_t *>(Address + F.Offset);
    uint8_t Mask[16];
    memset(Mask, MaskCompare, sizeof Mask);
    if (F.Kind == ValueFloat)
      Mask[0] = F.Size == 4 ? MaskFloat : MaskDouble;
    uint64_t Seen = hashRange(1, Bytes, F.Size, Mask);
    reinterpret_cast<SeenField *>(OutputBase + OutputSeen)[O.SeenCount++] = {Known, Index, Seen};
    Hash = mix(Hash, Seen);
  }
  return Hash;
}

} // namespace

void explain(const char *Format, ...) {
  State &S = state();
  constexpr uint32_t Room = OutputTextSize - (64u << 10);
  if (!input().Explain || S.TextSize + 1024 >= Room)
    return;
  va_list Arguments;
  va_start(Arguments, Format);
  int Size = vsnprintf(reinterpret_cast<char *>(OutputBase + OutputText + S.TextSize), 1024, Format, Arguments);
  va_end(Arguments);
  S.TextSize += Size < 0 ? 0 : Size < 1024 ? static_cast<uint32_t>(Size) : 1023;
}

void explainPointer(uint64_t Address) {
  Canonical C = canonical(Address);
  switch (C.Kind) {
  case '0':
    return explain("NULL");
  case 'a':
    return explain("arena+0x%llx", static_cast<unsigned long long>(C.Offset));
  case 'h':
    return explain("block%llu+%llu", static_cast<unsigned long long>(C.Number), static_cast<unsigned long long>(C.Offset));
  case 'f':
    return explain("&%s", C.Offset == 0 ? cct_functions[C.Number].Name : C.Offset == 1 ? cct_stubs[C.Number].Name : cct_callbacks[C.Number].Name);
  case 'g':
    return explain("&%s+%llu", cct_globals[C.Number].Name, static_cast<unsigned long long>(C.Offset));
  case 'i':
    return explain("<own data>");
  case 's':
    return explain("<stack>");
  default:
    return explain("0x%llx", static_cast<unsigned long long>(Address));
  }
}

void record(const StubEntry &E, const uint8_t *Arguments) {
  State &S = state();
  uint64_t Hash = mix(S.TraceHash, E.Index + (E.Flags & StubCallback ? 1u << 20 : 0u));
  explain("%s(", E.Name);
  for (uint32_t Index = 0; Index < E.ArgumentCount; ++Index) {
    const StubArgument &A = E.Arguments[Index];
    explain(Index ? ", " : "");
    if (A.Kind == ValuePointer) {
      uint64_t Address = number(A, Arguments);
      Canonical C = canonical(Address);
      if ((A.Flags & ArgumentConst) && C.Kind == 'i') // an initialised local may have become a constant
        C = {'s', 0, 0};
      Hash = mix(mix(mix(Hash, static_cast<uint64_t>(C.Kind)), C.Number), C.Offset);
      explainPointer(Address);
      bool Text = (A.Flags & ArgumentString) && Address && !(A.Flags & ArgumentNotRead);
      uint32_t Known = knownArgument(E, Index);
      if (S.Sanitized && A.PointeeSize && onStack(Address) && !isResult(Address) &&
          __asan_region_is_poisoned(reinterpret_cast<void *>(Address), A.PointeeSize))
        mark(Known, NotWhole);
      bool Beyond = isNearStack(Address) && !onStack(Address); // there is nothing to read
      if (C.Kind == 's' && !Beyond && !isMarked(Known, NotWhole) && A.FieldCount && !(A.Flags & ArgumentNotRead) && S.TraceEvents < memoryEvents())
        Hash = hashFields(Hash, A, Address, Known);
      // The sanitized variant keeps its locals wherever it likes.
      bool Looked = (C.Kind == 's' && !Beyond) || C.Kind == 'i' || C.Kind == 'g' || (S.Sanitized && C.Kind == 'x');
      if (Text && Looked && !isMarked(Known, NotWhole)) {
        const char *String = reinterpret_cast<const char *>(Address);
        uint64_t Size = 0;
        for (;; ++Size) {
          if (S.Sanitized && __asan_address_is_poisoned(String + Size)) {
            mark(Known, NotWhole);
            break;
          }
          if (Size == 256 || !String[Size])
            break;
          Hash = mix(Hash, static_cast<uint8_t>(String[Size]));
        }
        explain(" \"%.80s\"", String);
      }
    } else if (A.Kind == ValueFloat) {
      uint64_t Value = number(A, Arguments);
      double AsDouble;
      if (A.Size == 4) {
        float Narrow;
        memcpy(&Narrow, &Value, 4);
        AsDouble = Narrow;
      } else {
        memcpy(&AsDouble, &Value, 8);
      }
      Hash = mix(Hash, AsDouble != AsDouble ? 0x7FF8ull << 48 : Value);
      explain("%g", AsDouble);
    } else if (A.Kind == ValueInteger) {
      Hash = mix(Hash, number(A, Arguments));
      explain("%lld", static_cast<long long>(number(A, Arguments)));
    } else {
      explain("<%u bytes>", A.Size);
    }
  }
  // What the callee could read has to be there when it is called.
  if ((E.Flags & StubReadsMemory) && !S.NoAlias && S.TraceEvents < memoryEvents())
    Hash = hashMemory(Hash);
  S.TraceHash = Hash;
  ++S.TraceEvents;
}

} // namespace cct
