// What a run left behind, in a form that is equal for equal behaviour: pointers by what they point to, padding left out,
// any NaN like any other, the heap in the order in which it is reached.
#include "state.h"

#include <cstring>
#include <unistd.h>

namespace cct {
namespace {

bool isNaN(uint32_t Bits) { return (Bits & 0x7FFFFFFFu) > 0x7F800000u; }
bool isNaN(uint64_t Bits) { return (Bits & 0x7FFFFFFFFFFFFFFFull) > 0x7FF0000000000000ull; }

// Memory without types: only the NaN that processors make has its sign dropped, which constant folding does not keep.
uint64_t withoutNaNSign(uint64_t Word) {
  if (Word == 0xFFF8000000000000ull)
    return 0x7FF8000000000000ull;
  if (static_cast<uint32_t>(Word) == 0xFFC00000u)
    Word &= ~0x80000000ull;
  if (Word >> 32 == 0xFFC00000u)
    Word &= ~0x8000000000000000ull;
  return Word;
}

uint64_t withMask(uint64_t Word, const uint8_t *Mask) {
  if (Mask[0] == MaskDouble && isNaN(Word))
    Word = 0x7FF8000000000000ull;
  uint32_t Low = static_cast<uint32_t>(Word), High = static_cast<uint32_t>(Word >> 32);
  if (Mask[0] == MaskFloat && isNaN(Low))
    Low = 0x7FC00000u;
  if (Mask[4] == MaskFloat && isNaN(High))
    High = 0x7FC00000u;
  if (Mask[0] == MaskFloat || Mask[4] == MaskFloat)
    Word = static_cast<uint64_t>(High) << 32 | Low;
  for (int Byte = 0; Byte < 8; ++Byte)
    Word &= ~((0xFFull ^ countedBits(Mask[Byte])) << (8 * Byte));
  return Word;
}

bool mayBePointer(uint64_t Word) {
  const State &S = state();
  return (Word >= S.ImageBegin && Word < S.ImageEnd) || (Word >= HeapBase && Word < HeapBase + HeapSize) ||
         isNearStack(Word);
}

uint64_t hashPointer(uint64_t Hash, uint64_t Word) {
  Canonical C = canonical(Word);
  return mix(mix(mix(Hash, static_cast<uint64_t>(C.Kind) << 56), C.Number), C.Offset);
}

// Bytes of a block that nobody wrote, two or more side by side, become the same in all variants, whatever these hold there.
uint64_t withoutFill(uint64_t Word, const uint8_t *Where) {
  uint64_t Difference = Word ^ unwritten(reinterpret_cast<uint64_t>(Where));
  if (!Difference)
    return 0xEEEEEEEEEEEEEEEEull;
  uint64_t Equal = 0; // 0xFF for each byte that was never written
  for (int Byte = 0; Byte < 8; ++Byte)
    if (!(Difference >> 8 * Byte & 0xFF))
      Equal |= 0xFFull << 8 * Byte;
  uint64_t Runs = Equal & (Equal << 8 | Equal >> 8);
  return (Word & ~Runs) | (Runs & 0xEEEEEEEEEEEEEEEEull);
}

constexpr uint64_t AllCompared = ~0ull;
constexpr uint64_t Piece = 64, UntouchedPiece = 0xEEEE;

// A word where it differs from the one that was there before, as far as it counts; else nothing.
uint64_t hashChange(uint64_t Hash, uint64_t Position, uint64_t Word, uint64_t Before, const uint8_t *Mask) {
  uint64_t Kinds;
  memcpy(&Kinds, Mask, 8);
  bool Whole = Kinds == AllCompared;
  if (!Whole)
    Word = withMask(Word, Mask), Before = withMask(Before, Mask);
  if (Word == Before)
    return Hash;
  Hash = mix(Hash, Position);
  return Whole && mayBePointer(Word) ? hashPointer(Hash, Word) : mix(Hash, Word);
}

// What has changed of a piece of the arena. Nearly all is as it was, and need not be looked at word by word; nor are words that still
// hold what they held new pointers, whatever they look like.
uint64_t hashChanges(uint64_t Hash, uint64_t Begin, uint64_t End) {
  constexpr uint64_t AtOnce = 512;
  const auto *Mask = reinterpret_cast<const uint8_t *>(InputBase + InputMask);
  const auto *Arena = reinterpret_cast<const uint8_t *>(ArenaBase);
  const auto *Given = reinterpret_cast<const uint8_t *>(InputBase + InputArena);
  for (uint64_t Next; Begin < End; Begin = Next) {
    Next = End - Begin < AtOnce ? End : Begin + AtOnce;
    if (memcmp(Arena + Begin, Given + Begin, Next - Begin) == 0)
      continue;
    uint64_t Word, Before, Position = Begin;
    for (; Position + 8 <= Next; Position += 8) {
      memcpy(&Word, Arena + Position, 8);
      memcpy(&Before, Given + Position, 8);
      if (Word != Before)
        Hash = hashChange(Hash, Position, Word, Before, Mask + Position);
    }
    if (Position < Next) { // what is behind the end of the piece does not count
      uint8_t Counted[8] = {};
      Word = Before = 0;
      memcpy(&Word, Arena + Position, Next - Position);
      memcpy(&Before, Given + Position, Next - Position);
      memcpy(Counted, Mask + Position, Next - Position);
      Hash = hashChange(Hash, Position, Word, Before, Counted);
    }
  }
  return Hash;
}

} // namespace

Canonical canonical(uint64_t Address) {
  State &S = state();
  if (!Address)
    return {'0', 0, 0};
  if (Address >= ArenaBase && Address < ArenaBase + ArenaSize)
    return {'a', 0, Address - ArenaBase};
  if (Address >= HeapBase && Address < HeapBase + HeapSize) {
    BlockEntry *B = blockOf(Address);
    if (!B)
      return {'h', 0, 0};
    if (!B->Number) {
      S.Order[S.NextNumber] = static_cast<uint32_t>(B - S.Block);
      B->Number = ++S.NextNumber;
    }
    return {'h', B->Number, Address - B->Address};
  }
  if (isNearStack(Address) || isResult(Address))
    return {'s', 0, 0};
  if (Address >= S.ImageBegin && Address < S.ImageEnd) {
    auto *Pointer = reinterpret_cast<const uint8_t *>(Address);
    for (uint32_t Index = 0; Index < cct_counts[0]; ++Index)
      if (cct_functions[Index].Address == Pointer)
        return {'f', Index, 0};
    for (uint32_t Index = 0; Index < cct_counts[2]; ++Index)
      if (cct_stubs[Index].Address == Pointer)
        return {'f', Index, 1};
    for (uint32_t Index = 0; Index < cct_counts[3]; ++Index)
      if (cct_callbacks[Index].Address == Pointer)
        return {'f', Index, 2};
    for (uint32_t Index = 0; Index < cct_counts[1]; ++Index) {
      const GlobalEntry &G = cct_globals[Index];
      if (G.Address && Pointer >= G.Address && Pointer < G.Address + G.Size)
        return {'g', Index, static_cast<uint64_t>(Pointer - G.Address)};
    }
    return {'i', 0, 0};
  }
  return {'x', Address, 0};
}

// Whether so many bytes are all as they were when the block that they lie in was new.
static bool isUntouched(const uint8_t *Bytes) {
  uint64_t Difference = 0, Word;
  for (uint64_t Position = 0; Position < Piece; Position += 8) {
    memcpy(&Word, Bytes + Position, 8);
    Difference |= Word ^ unwritten(reinterpret_cast<uint64_t>(Bytes) + Position);
  }
  return Difference == 0;
}

uint64_t hashRange(uint64_t Hash, const uint8_t *Bytes, uint64_t Size, const uint8_t *Mask, bool Fresh) {
  uint64_t Position = 0;
  for (uint64_t Next; Position + 8 <= Size; Position = Next) {
    // Most of what is large nobody has written, in any of the builds.
    if (Fresh && Position % Piece == 0 && Position + Piece <= Size && isUntouched(Bytes + Position)) {
      Hash = mix(Hash, UntouchedPiece);
      Next = Position + Piece;
      continue;
    }
    Next = Position + 8;
    uint64_t Word;
    memcpy(&Word, Bytes + Position, 8);
    bool Whole = true;
    if (Mask) {
      uint64_t Kinds;
      memcpy(&Kinds, Mask + Position, 8);
      if (Kinds == 0)
        continue;
      Whole = Kinds == AllCompared;
      if (!Whole)
        Word = withMask(Word, Mask + Position);
    } else {
      Word = withoutNaNSign(Fresh ? withoutFill(Word, Bytes + Position) : Word);
    }
    Hash = Whole && mayBePointer(Word) ? hashPointer(Hash, Word) : mix(Hash, Word);
  }
  for (; Position < Size; ++Position) {
    uint32_t Float = 0;
    if (Mask && Mask[Position] == MaskFloat && Position + 4 <= Size)
      memcpy(&Float, Bytes + Position, 4);
    if (isNaN(Float)) {
      Hash = mix(Hash, 0x7FC00000u);
      Position += 3;
    } else if (uint8_t Counted = Mask ? countedBits(Mask[Position]) : 0xFF) {
      auto Never = static_cast<uint8_t>(unwritten(reinterpret_cast<uint64_t>(Bytes) + Position) >> 8 * (Position % 8));
      Hash = mix(Hash, Fresh && Bytes[Position] == Never ? 0xEE : Bytes[Position] & Counted);
    }
  }
  return Hash;
}

static uint64_t hashArena(uint64_t Hash) {
  uint64_t Begin = 0;
  // What was freed is dead, and what lies between the objects is compared with them: nothing writes there.
  for (uint32_t Index = 0; Index < input().Objects; ++Index) {
    const ObjectEntry &O = input().Object[Index];
    if (state().ArenaFreed[Index]) {
      Hash = mix(hashChanges(Hash, Begin, O.Offset), 0xF4EED + Index);
      Begin = (O.Offset + O.Size + 7) & ~7u;
    }
  }
  return hashChanges(Hash, Begin, input().ArenaUsed);
}

static uint64_t hashGlobals(uint64_t Hash) {
  const auto *Mask = reinterpret_cast<const uint8_t *>(InputBase + InputGlobalMask);
  for (uint32_t Index = 0; Index < cct_counts[1]; ++Index) {
    const GlobalEntry &G = cct_globals[Index];
    if (G.Address && !(G.Flags & GlobalConstant))
      Hash = hashRange(Hash, G.Address, G.Size, Mask + G.MaskOffset);
  }
  return Hash;
}

// Several sums side by side, which do not wait for each other.
static uint64_t checksum(const uint8_t *Bytes, uint64_t Size) {
  constexpr uint64_t Factor = 0x9E3779B97F4A7C15ull;
  uint64_t Sums[4] = {0x8A5CD789635D2DFFull, 0x121FD2155C472F97ull, 0xE220A8397B1DCDAFull, 0x6C62272E07BB0143ull ^ Size}, Words[4];
  uint64_t Position = 0;
  for (; Position + sizeof Words <= Size; Position += sizeof Words) {
    memcpy(Words, Bytes + Position, sizeof Words);
    for (int Index = 0; Index < 4; ++Index)
      Sums[Index] = (Sums[Index] ^ Words[Index]) * Factor;
    for (int Index = 0; Index < 4; ++Index)
      Sums[Index] ^= Sums[Index] >> 32;
  }
  uint64_t Result = 0;
  for (uint64_t Sum : Sums)
    Result = mix(Result * Factor, Sum); // in order: a word of one that goes to another must show
  for (; Position < Size; ++Position)
    Result = mix(Result, Bytes[Position]);
  return Result | 1;
}

// Calls of other units look at the heap again and again, and mostly it is as it was. To what its pointers lead has been numbered then.
static uint64_t hashBlock(BlockEntry &B) {
  constexpr uint32_t Small = 128;
  const auto *Bytes = reinterpret_cast<const uint8_t *>(B.Address);
  if (B.Size < Small)
    return hashRange(1, Bytes, B.Size, nullptr, true);
  if (uint64_t Now = checksum(Bytes, B.Size); B.Checksum != Now) {
    B.Hash = hashRange(1, Bytes, B.Size, nullptr, true);
    B.Checksum = Now;
  }
  return B.Hash;
}

static uint64_t hashHeap(uint64_t Hash) {
  State &S = state();
  for (uint32_t Number = 0; Number < S.NextNumber; ++Number) { // grows meanwhile
    BlockEntry &B = S.Block[S.Order[Number]];
    Hash = mix(Hash, B.Freed ? 0xF4EED : B.Size);
    if (!B.Freed)
      Hash = mix(Hash, hashBlock(B));
  }
  return Hash;
}

uint64_t hashMemory(uint64_t Hash) {
  if (!state().Observed) // the sanitized variant would look at poisoned memory, too
    return Hash;
  return hashHeap(hashGlobals(hashArena(Hash)));
}

void observe() {
  State &S = state();
  OutputHeader &O = output();
  const auto *Arguments = reinterpret_cast<const uint8_t *>(InputBase + InputArguments);
  uint64_t Results = 1;
  for (uint32_t Index = 0; Index < O.CallsDone; ++Index) {
    const CallEntry &C = input().Call[Index];
    Results = hashRange(Results, O.Results[Index], cct_functions[C.Function].ResultSize, Arguments + C.ResultMaskOffset);
  }
  O.Hash[PartResults] = Results;
  // Whoever ends the program in the middle may find memory that restrict allows to be written later.
  bool Memory = S.Observed && (S.Outcome == OutcomeReturned || (S.Outcome == OutcomeException && !S.NoAlias));
  O.Hash[PartArena] = Memory ? hashArena(2) : 0;
  O.Hash[PartGlobals] = Memory ? hashGlobals(3) : 0;
  O.Hash[PartHeap] = Memory ? hashHeap(4) : 0;
  O.Hash[PartTrace] = S.TraceHash;
  uint64_t Streams = 5;
  for (uint32_t Index = 0; Index < S.Streams; ++Index)
    Streams += mix(S.StreamHash[Index], S.StreamKey[Index]); // in any order
  O.Hash[PartOutput] = Streams;
  O.TraceEvents = S.TraceEvents;
  O.Requests = S.Requests;
  O.RequestHash = S.RequestHash;
  O.HeapUsed = static_cast<uint32_t>(S.HeapUsed);
  O.LiveBlocks = 0;
  for (uint32_t Index = 0; Index < S.Blocks; ++Index)
    O.LiveBlocks += !S.Block[Index].Freed;
  O.Outcome = S.Outcome;
  O.Detail = S.Detail;
  O.TextSize = S.TextSize;
}

} // namespace cct
