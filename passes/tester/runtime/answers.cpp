// What functions of other units, and callbacks, answer and write: it depends on the seed, the function and how often it was called.
#include "stub.h"

namespace cct {
namespace {

constexpr uint64_t MaxCounted = 4096;
constexpr uint64_t LargestVariety = 256; // so many bytes are made; then they come again
constexpr uint32_t FewFields = 8;

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
  uint32_t Known = knownArgument(E, Index);
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
  if (state().Sanitized && onStack(Address)) // the others would write over what lies behind
    mark(Known, NotCounted);
  return 0;
}

// One byte of eight becomes one of the numbers that the input has for answers.
uint64_t withAnswer(uint64_t Bytes, uint64_t Random) {
  uint64_t Answer = input().Answer[Random >> 3 & (MaxAnswers - 1)] & 0xFF, Shift = 8 * (Random & 7);
  return (Bytes & ~(0xFFull << Shift)) | Answer << Shift;
}

void writeBytes(uint8_t *Memory, uint64_t Count, uint64_t Random) {
  if ((Random & 3) == 0) {
    memset(Memory, 0, Count);
    return;
  }
  // What is long is the same again and again: there are functions that read thousands of times.
  for (uint64_t Index = 0; Index < Count && Index < LargestVariety; Index += 8) {
    uint64_t Bytes = random(Random, Index);
    if ((Random & 3) == 1)
      Bytes &= 0x0707070707070707ull;
    if (input().Answers)
      Bytes = withAnswer(Bytes, random(Random, ~Index));
    memcpy(Memory + Index, &Bytes, Count - Index < 8 ? Count - Index : 8);
  }
  for (uint64_t Made = LargestVariety; Made < Count; Made *= 2)
    memcpy(Memory + Made, Memory, Count - Made < Made ? Count - Made : Made);
}

} // namespace

uint64_t integerAnswer(uint64_t Random) {
  uint64_t Value = Random >> 8;
  if (input().Answers && (Random >> 3 & 1))
    return input().Answer[Value & (MaxAnswers - 1)];
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
    uint32_t Known = knownArgument(E, Index);
    if (!Address || !readable(Address, A.PointeeSize) || (onStack(Address) && isMarked(Known, NotWhole)))
      continue;
    auto *Memory = reinterpret_cast<uint8_t *>(Address);
    uint64_t Own = random(Random, Index);
    const UnwrittenFields &Unwritten = unwrittenFields(Known);
    // Of a local variable nothing is left as it is that the caller may not have written.
    bool Filled = (A.Flags & ArgumentNotRead) || A.FieldCount == 1 || (onStack(Address) && (!(A.Flags & ArgumentAllFields) || (Own & 3) != 0));
    if (Filled && A.FieldCount != 1)
      memset(Memory, 0, A.PointeeSize);
    // Of a large structure most functions change little or nothing; of one that is called a thousand times each run sees the same.
    uint64_t Habit = A.FieldCount > FewFields ? random(input().Seed, Known) & 3 : 3;
    if (Habit < 2 && !Filled && !onStack(Address))
      continue;
    uint64_t Which = 0; // two bits for each of the fields that come next: there may be hundreds
    for (uint32_t Field = 0; Field < A.FieldCount; ++Field, Which >>= 2) {
      if (Field % 32 == 0)
        Which = Habit == 3 ? random(~Own, Field) : Habit == 2 ? random(~Own, Field) | random(~Own, Field + 1) : ~0ull;
      if (Filled || (Which & 3) == 0 || Unwritten.has(Field))
        writeField(A.Fields[Field], Memory + A.Fields[Field].Offset, random(Own, Field), Filled);
    }
  }
}

void clobber() {
  const InputHeader &I = input();
  if (state().NoAlias) // what only a restrict parameter leads to, nobody else may write
    return;
  const uint32_t Call = output().ClobberingCalls++;
  for (uint32_t Index = 0; Index < I.Clobbers; ++Index)
    if (const ClobberEntry &C = I.Clobber[Index]; C.Call == Call)
      if (int Object = objectOf(ArenaBase + C.Offset); Object >= 0 && !state().ArenaFreed[Object])
        memcpy(reinterpret_cast<void *>(ArenaBase + C.Offset), &C.Value, C.Size);
}

} // namespace cct
