// Functions of other units, and callbacks: each call is an event of the trace, each answer depends on the seed, the function
// and how often it was called.
#include "state.h"

#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace cct {

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

namespace {

constexpr uint32_t MaxEvents = 20000;
constexpr uint32_t MaxMemoryEvents = 256;
constexpr uint64_t MaxCounted = 4096;
constexpr uint32_t MaxMemoryLooked = 2u << 20;

// How many calls of a run look at memory: not many, where there is much of it. The same number in all variants.
uint32_t memoryEvents() {
  uint32_t Fitting = MaxMemoryLooked / (input().ArenaUsed + 1);
  return Fitting < 4 ? 4 : Fitting < MaxMemoryEvents ? Fitting : MaxMemoryEvents;
}

uint64_t random(uint64_t A, uint64_t B) {
  uint64_t Hash = mix(mix(0x1234567, A), B);
  Hash = (Hash ^ (Hash >> 31)) * 0xBF58476D1CE4E5B9ull;
  return Hash ^ (Hash >> 27);
}

uint64_t integerAnswer(uint64_t Random) {
  uint64_t Value = Random >> 8;
  if (input().Answers && (Random >> 3 & 1))
    return input().Answer[Value % input().Answers];
  switch (Random & 7) {
  case 0:
  case 1:
    return 0;
  case 2:
    return 1;
  case 3:
    return ~0ull;
  case 4:
    return Value & 15;
  case 5:
    return Value & 255;
  case 6:
    return 1ull << (Value & 63);
  default:
    return Value;
  }
}

uint64_t number(const StubArgument &A, const uint8_t *Arguments) {
  uint64_t Value = 0;
  memcpy(&Value, Arguments + A.Offset, A.Size < 8 ? A.Size : 8);
  return Value;
}

// Results of comparisons have to be consistent, or sorting with them makes no sense.
bool isComparison(const StubEntry &E) {
  return E.ResultKind == ValueInteger && E.ArgumentCount >= 2 && E.Arguments[0].Kind == ValuePointer &&
         E.Arguments[1].Kind == ValuePointer && (E.Arguments[0].Flags & E.Arguments[1].Flags & ArgumentConst);
}

// What the sanitized variant finds out about an argument, for all others.
void mark(uint32_t Known, uint8_t What) {
  reinterpret_cast<uint8_t *>(OutputBase + OutputNotString)[Known] |= What;
  output().AnyNotString = 1;
}

bool isMarked(uint32_t Known, uint8_t What) { return input().AnyNotString && (input().NotString[Known] & What); }

// A local variable, or where a structure is to be returned to: which of both, the optimizer may choose.
bool onStack(uint64_t Address) {
  const State &S = state();
  if (isResult(Address))
    return true;
  if (!S.Sanitized)
    return Address >= StackBase && Address < StackBase + StackSize;
  if (Address >= reinterpret_cast<uint64_t>(__builtin_frame_address(0)) && Address < S.OwnStackEnd)
    return true;
  void *Fake = __asan_get_current_fake_stack();
  return Fake && __asan_addr_is_in_fake_stack(Fake, reinterpret_cast<void *>(Address), nullptr, nullptr);
}

bool readable(uint64_t Address, uint64_t Size) {
  if (int Object = objectOf(Address); Object >= 0)
    return Address + Size <= ArenaBase + input().Object[Object].Offset + input().Object[Object].Size;
  if (BlockEntry *B = blockOf(Address))
    return Address + Size <= B->Address + B->Size;
  if (isResult(Address))
    return isResult(Address + Size - 1);
  if (state().Sanitized)
    return onStack(Address) && !__asan_region_is_poisoned(reinterpret_cast<void *>(Address), Size);
  return Address >= StackBase && Address + Size <= StackBase + StackSize;
}

// Local variables whose address is passed: what the callee could read of them, but for what nobody wrote.
uint64_t hashFields(uint64_t Hash, const StubArgument &A, uint64_t Address, uint32_t Known) {
  uint64_t Unwritten = reinterpret_cast<const uint64_t *>(InputBase + InputUnwritten)[Known];
  OutputHeader &O = output();
  for (uint32_t Index = 0; Index < A.FieldCount && O.SeenCount < MaxSeen; ++Index) {
    const PointeeField &F = A.Fields[Index];
    if (Unwritten >> Index & 1 || (onStack(Address) && !readable(Address + F.Offset, F.Size)))
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
      uint32_t Known = stubArgument(E.Index, (E.Flags & StubCallback) != 0, Index);
      if (S.Sanitized && A.PointeeSize && onStack(Address) && !isResult(Address) && __asan_region_is_poisoned(reinterpret_cast<void *>(Address), A.PointeeSize)) {
        mark(Known, NotWhole);
      }
      if (C.Kind == 's' && !isMarked(Known, NotWhole) && A.FieldCount && !(A.Flags & ArgumentNotRead) && S.TraceEvents < memoryEvents())
        Hash = hashFields(Hash, A, Address, Known);
      // The sanitized variant keeps its locals wherever it likes.
      bool Looked = C.Kind == 's' || C.Kind == 'i' || C.Kind == 'g' || (S.Sanitized && C.Kind == 'x');
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

uint64_t pointerAnswer(const StubEntry &E, const uint8_t *Arguments, uint64_t Random) {
  if (!(E.Flags & StubNonNullResult) && (Random & 7) == 0)
    return 0;
  if (E.Index < MaxAnsweringStubs && !(E.Flags & (StubFreshResult | StubCallback)) && input().AnsweredObject[E.Index] && (Random >> 3 & 3))
    return input().AnsweredObject[E.Index];
  uint64_t Size = E.ResultPointeeSize ? E.ResultPointeeSize * 4ull : 64;
  if (E.Flags & StubStringResult)
    Size = 32;
  if (!E.ResultPointeeSize) { // something like malloc, perhaps: then the numbers are its size
    uint64_t Product = 1;
    for (uint32_t Index = 0; Index < E.ArgumentCount; ++Index)
      if (E.Arguments[Index].Kind == ValueInteger)
        Product *= number(E.Arguments[Index], Arguments) & 0xFFFFFFFF;
    if (Product > Size && Product <= (1u << 20))
      Size = Product;
  }
  auto *Memory = static_cast<uint8_t *>(allocate(Size, 16, true));
  if (E.Flags & StubStringResult)
    for (uint32_t Index = 0; Index < (Random >> 8 & 15); ++Index)
      Memory[Index] = static_cast<uint8_t>('a' + (random(Random, Index) & 15));
  return reinterpret_cast<uint64_t>(Memory);
}

void writeField(const PointeeField &F, uint8_t *Memory, uint64_t Random, bool Pointers) {
  uint64_t Value = integerAnswer(Random);
  if (F.Kind == ValueFloat) {
    double Wide = static_cast<double>(static_cast<int64_t>(Random >> 40)) / 64;
    float Narrow = static_cast<float>(Wide);
    memcpy(Memory, F.Size == 4 ? static_cast<void *>(&Narrow) : static_cast<void *>(&Wide), F.Size == 4 ? 4 : 8);
  } else if (F.Kind == ValueInteger) {
    if (F.Boolean)
      Value &= 1;
    memcpy(Memory, &Value, F.Size < 8 ? F.Size : 8);
  } else if (Pointers) {
    Value = (Random >> 16 & 3) == 0 ? 0 : reinterpret_cast<uint64_t>(allocate(64, 16, true));
    memcpy(Memory, &Value, 8);
  }
}

// How many bytes a function like read, fread or memcpy is asked to write; 0: the arguments do not look like that.
uint64_t countedBytes(const StubEntry &E, const uint8_t *Arguments, uint32_t Index) {
  const StubArgument &A = E.Arguments[Index];
  uint32_t Known = stubArgument(E.Index, (E.Flags & StubCallback) != 0, Index);
  if (!(A.Flags & ArgumentBytes) || Index + 1 >= E.ArgumentCount || E.Arguments[Index + 1].Kind != ValueInteger ||
      isMarked(Known, NotCounted))
    return 0;
  uint64_t Count = number(E.Arguments[Index + 1], Arguments);
  if (Index + 2 < E.ArgumentCount && E.Arguments[Index + 2].Kind == ValueInteger) // fread's second one; recv's is none
    if (uint64_t Times = number(E.Arguments[Index + 2], Arguments); Times && Times <= MaxCounted && Count * Times <= MaxCounted)
      Count *= Times;
  if (Count < 2 || Count > MaxCounted)
    return 0;
  uint64_t Address = number(A, Arguments);
  if (readable(Address, Count))
    return Count;
  if (state().Sanitized && onStack(Address)) { // the others would write over what lies behind
    mark(Known, NotCounted);
  }
  return 0;
}

void writeBytes(uint8_t *Memory, uint64_t Count, uint64_t Random) {
  for (uint64_t Index = 0; Index < Count; ++Index) {
    uint64_t Byte = random(Random, Index);
    bool Answered = input().Answers && (Byte >> 8 & 7) == 0;
    Memory[Index] = static_cast<uint8_t>((Random & 3) == 0 ? 0 : Answered ? input().Answer[(Byte >> 16) % input().Answers] : (Random & 3) == 1 ? Byte & 7 : Byte);
  }
}

// The callee may write what it was given the address of: all of it, where it is to be filled, or some numbers.
void writeThrough(const StubEntry &E, const uint8_t *Arguments, uint64_t Random) {
  for (uint32_t Index = 0; Index < E.ArgumentCount; ++Index) {
    const StubArgument &A = E.Arguments[Index];
    if (A.Kind != ValuePointer || (A.Flags & (ArgumentConst | ArgumentNotWritten)))
      continue;
    uint64_t Address = number(A, Arguments);
    if (uint64_t Count = Address ? countedBytes(E, Arguments, Index) : 0) {
      writeBytes(reinterpret_cast<uint8_t *>(Address), Count, random(Random, Index));
      continue;
    }
    if (!A.PointeeSize)
      continue;
    uint32_t Known = stubArgument(E.Index, (E.Flags & StubCallback) != 0, Index);
    if (!Address || !readable(Address, A.PointeeSize) || (onStack(Address) && isMarked(Known, NotWhole)))
      continue;
    auto *Memory = reinterpret_cast<uint8_t *>(Address);
    uint64_t Own = random(Random, Index);
    uint64_t Unwritten = reinterpret_cast<const uint64_t *>(InputBase + InputUnwritten)[Known];
    // Of a local variable nothing is left as it is that the caller may not have written.
    bool Filled = (A.Flags & ArgumentNotRead) || A.FieldCount == 1 || (onStack(Address) && (!(A.Flags & ArgumentAllFields) || (Own & 3) != 0));
    if (Filled && A.FieldCount != 1)
      memset(Memory, 0, A.PointeeSize);
    for (uint32_t Field = 0; Field < A.FieldCount; ++Field) {
      uint64_t Chosen = random(Own, Field);
      if (Filled || (Chosen & 3) == 0 || (Unwritten >> Field & 1))
        writeField(A.Fields[Field], Memory + A.Fields[Field].Offset, Chosen, Filled);
    }
  }
}

} // namespace
} // namespace cct

using namespace cct;

extern "C" void cct_stub(const StubEntry *Entry, const uint8_t *Arguments, uint8_t *Result) {
  State &S = state();
  const StubEntry &E = *Entry;
  uint32_t Slot = (E.Index * 2 + (E.Flags & StubCallback ? 1 : 0)) % MaxStubCounts;
  uint64_t Random;
  if (E.Flags & StubPure) {
    Random = input().Seed + Slot;
    for (uint32_t Index = 0; Index < E.ArgumentCount; ++Index)
      if (E.Arguments[Index].Kind != ValuePointer && E.Arguments[Index].Kind != ValueBytes)
        Random = random(Random, number(E.Arguments[Index], Arguments));
      else if (E.Arguments[Index].Kind == ValuePointer)
        Random = random(Random, number(E.Arguments[Index], Arguments) != 0);
  } else {
    if (S.TraceEvents >= MaxEvents)
      endRun(OutcomeLimit, 1);
    record(E, Arguments);
    Random = random(input().Seed + Slot, S.StubCalls[Slot]++);
  }
  if (E.Flags & StubNoReturn) {
    explain(") does not return\n");
    endRun(OutcomeNoReturn, E.Index);
  }
  uint64_t Answer = 0;
  switch (E.ResultKind) {
  case ValueNone:
    break;
  case ValueInteger:
    Answer = integerAnswer(Random);
    if (E.ResultSize == 1 && Answer > 1) // perhaps a bool, which holds nothing else
      Answer &= 1;
    if (isComparison(E)) {
      uint64_t Left = number(E.Arguments[0], Arguments), Right = number(E.Arguments[1], Arguments);
      uint64_t Size = E.Arguments[0].PointeeSize ? E.Arguments[0].PointeeSize : 1;
      // On the stack nobody knows where an object ends.
      if (!onStack(Left) && !onStack(Right) && readable(Left, Size) && readable(Right, Size))
        Answer = static_cast<uint64_t>(static_cast<int64_t>(memcmp(reinterpret_cast<void *>(Left), reinterpret_cast<void *>(Right), Size)));
    }
    memcpy(Result, &Answer, E.ResultSize);
    break;
  case ValueFloat: {
    double Wide = static_cast<double>(static_cast<int64_t>(integerAnswer(Random))) / 4;
    float Narrow = static_cast<float>(Wide);
    memcpy(Result, E.ResultSize == 4 ? static_cast<void *>(&Narrow) : static_cast<void *>(&Wide), E.ResultSize);
    break;
  }
  case ValuePointer:
    Answer = E.Flags & StubPure ? 0 : pointerAnswer(E, Arguments, Random);
    for (uint32_t Index = 0; Index < E.ArgumentCount; ++Index)
      if (E.Arguments[Index].Flags & ArgumentReturned)
        Answer = number(E.Arguments[Index], Arguments);
    memcpy(Result, &Answer, 8);
    break;
  default:
    memset(Result, 0, E.ResultSize);
    Result[0] = static_cast<uint8_t>(Random & 15);
  }
  if (!(E.Flags & StubPure))
    writeThrough(E, Arguments, Random);
  explain(E.ResultKind == ValueNone ? ")\n" : ") = ");
  if (E.ResultKind == ValuePointer)
    explainPointer(Answer), explain("\n");
  else if (E.ResultKind != ValueNone)
    explain("%lld\n", static_cast<long long>(Answer));
}

extern "C" void cct_exception(const char *Name) {
  uint64_t Hash = 11;
  for (const char *Character = Name; *Character; ++Character)
    Hash = mix(Hash, static_cast<uint8_t>(*Character));
  strncpy(output().ExceptionName, Name, sizeof output().ExceptionName - 1);
  endRun(OutcomeException, Hash);
}
