// Functions of other units, and callbacks: each call is an event of the trace, and gets an answer.
#include "stub.h"

namespace cct {
namespace {

constexpr uint32_t MaxEvents = 4000;

// Results of comparisons have to be consistent, or sorting with them makes no sense.
bool isComparison(const StubEntry &E) {
  return E.ResultKind == ValueInteger && E.ArgumentCount >= 2 && E.Arguments[0].Kind == ValuePointer &&
         E.Arguments[1].Kind == ValuePointer && (E.Arguments[0].Flags & E.Arguments[1].Flags & ArgumentConst);
}

} // namespace

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
    // Perhaps a bool, which holds nothing else. What stands in a table of virtual functions is described as int(), whatever it is.
    if (bool IsVirtual = (E.Flags & StubCallback) && E.ArgumentCount == 0; (E.ResultSize == 1 || IsVirtual) && Answer > 1)
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
  if (E.Flags & StubClobbers)
    clobber();
  explain(E.ResultKind == ValueNone ? ")\n" : ") = ");
  if (E.ResultKind == ValuePointer && (E.Flags & StubFreshResult))
    explain("memory of its own\n"); // that the other unit does not look at again
  else if (E.ResultKind == ValuePointer)
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
