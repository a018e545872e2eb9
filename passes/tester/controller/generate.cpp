#include "generate.h"

#include <algorithm>
#include <cstring>
#include <cstddef>
#include <iterator>
#include <set>

namespace cct {
namespace {

using Kind = TypeNode::Kind;

constexpr uint32_t FirstObject = 0x1000;

// What is beside or between bit-fields in their byte belongs to nobody, and holds what was there before.
void addBits(const TypeNode &T, uint8_t *Mask) {
  auto forEachByte = [&](auto What) {
    for (const Member &M : T.Members)
      for (uint32_t Bit = M.BitOffset; Bit < M.BitOffset + M.BitSize && Bit / 8 < T.Size; ++Bit)
        What(Mask[Bit / 8], static_cast<uint8_t>(1u << Bit % 8));
  };
  forEachByte([](uint8_t &Byte, uint8_t Bit) { Byte |= Bit; });
  // Four fields of one bit with gaps between them look like a number: one of them goes unseen.
  forEachByte([](uint8_t &Byte, uint8_t) { Byte = Byte == MaskFloat || Byte == MaskDouble ? Byte & (Byte - 1) : Byte; });
}
constexpr uint32_t LargestVariety = 512; // so many elements of an array are made; then they come again

} // namespace

uint64_t Choices::choose(uint64_t Path, uint64_t Bound) {
  if (Bound <= 1)
    return 0;
  Made.push_back({Path, Bound});
  if (const uint64_t *Value = fixed(Path))
    return *Value % Bound;
  return scramble(Current->Seed, Path) % Bound;
}

Generator::Generator(const Description &D, SharedInput &Input) : D(D), Input(Input) {
  // A fixed point, since types name themselves.
  Shareable.resize(D.Types.size());
  Masks.resize(D.Types.size());
  Pointers.assign(D.Types.size(), false);
  for (bool Changed = true; Changed;) {
    Changed = false;
    for (size_t Index = 0; Index < D.Types.size(); ++Index) {
      const TypeNode &T = D.Types[Index];
      bool Has = T.What == Kind::Pointer || (T.What == Kind::Array && Pointers[T.Target]);
      for (const Member &M : T.Members)
        Has = Has || Pointers[M.Type];
      if (Has && !Pointers[Index])
        Pointers[Index] = Changed = true;
    }
  }
  for (const TypeNode &T : D.Types) {
    std::set<uint32_t> Targets;
    HasRange.push_back(T.What == Kind::Structure && std::any_of(T.Members.begin(), T.Members.end(), [&](const Member &M) {
                         return !M.BitSize && leadsToScalar(M.Type) && !Targets.insert(D.type(M.Type).Target).second;
                       }));
  }
  // Which structures a function is given: calls of functions on the same structure make a history worth testing.
  std::vector<std::set<uint32_t>> Structures(D.Functions.size());
  for (size_t Index = 0; Index < D.Functions.size(); ++Index)
    for (const ParameterNode &P : D.Functions[Index].Parameters)
      if (const TypeNode &T = D.type(P.Type); T.What == Kind::Pointer && D.type(T.Target).What == Kind::Structure)
        Structures[Index].insert(T.Target);
  Related.resize(D.Functions.size());
  Creators.resize(D.Functions.size());
  for (size_t A = 0; A < D.Functions.size(); ++A)
    for (size_t B = 0; B < D.Functions.size(); ++B)
      if (std::any_of(Structures[A].begin(), Structures[A].end(), [&](uint32_t T) { return Structures[B].count(T) != 0; }))
        Related[A].push_back(static_cast<uint32_t>(B));
  for (size_t A = 0; A < D.Functions.size(); ++A)
    for (size_t B = 0; B < D.Functions.size(); ++B)
      if (const std::vector<ParameterNode> &P = D.Functions[A].Parameters;
          std::any_of(P.begin(), P.end(), [&](const ParameterNode &One) { return mayBeResultOf(One.Type, static_cast<uint32_t>(B)); }))
        Creators[A].push_back(static_cast<uint32_t>(B));
  uint32_t Offset = 0;
  for (const GlobalNode &G : D.Globals) {
    uint8_t *Mask = Input.globalMask() + Offset;
    if (Offset + G.Size > InputGlobalMaskSize)
      break;
    memset(Mask, MaskCompare, G.Size);
    if (G.Type && D.type(G.Type).Size == G.Size)
      writeMasks(G.Type, Mask);
    Offset += (G.Size + 15) / 16 * 16;
  }
}

void Generator::setCallable(std::vector<bool> New) { Callable = std::move(New); }
bool Generator::holdsPointers(uint32_t Type) const { return Pointers[Type]; }

bool Generator::isMasked(uint32_t Type) const {
  const TypeNode &T = D.type(Type);
  return T.What == Kind::Structure ? T.Size > 0 : T.Size > 1 && T.What != Kind::Integer;
}

void Generator::writeMasks(uint32_t Type, uint8_t *Mask) const {
  const TypeNode &T = D.type(Type);
  switch (T.What) {
  case Kind::Float:
    memset(Mask, MaskCompare, T.Size);
    if (T.Size == 4)
      Mask[0] = MaskFloat;
    else if (T.Size == 8)
      Mask[0] = MaskDouble;
    else if (T.Size == 16) // ten bytes of x87, and six that nobody writes
      memset(Mask + 10, MaskIgnore, 6);
    break;
  case Kind::Array:
    memset(Mask, MaskCompare, T.Size);
    if (uint32_t Element = D.type(T.Target).Size; isMasked(T.Target))
      for (uint32_t Index = 0; Index < T.Count; ++Index)
        writeMasks(T.Target, Mask + Index * Element);
    break;
  case Kind::Structure:
    memset(Mask, MaskIgnore, T.Size);
    addBits(T, Mask);
    for (const Member &M : T.Members)
      if (uint32_t Size = D.type(M.Type).Size; !M.BitSize && Size && M.Offset + Size <= T.Size)
        writeMasks(M.Type, Mask + M.Offset);
    break;
  default:
    memset(Mask, MaskCompare, T.Size);
  }
}

void Generator::buildCall(uint32_t Index, uint32_t Function, uint64_t Path) {
  const FunctionNode &F = D.Functions[Function];
  Target = &F;
  CurrentCall = Index;
  CurrentNoAlias = F.NoAlias;
  BuiltCall Call{Function, {}};
  bool Received = false;
  for (size_t Number = 0; Number < F.Parameters.size(); ++Number) {
    const ParameterNode &P = F.Parameters[Number];
    Call.Parameters.emplace_back(std::max(16u, D.type(P.Type).Size));
    // Two restrict parameters must not lead to one object, and two calls may return the same one.
    uint64_t Result = Received && F.NoAlias ? 0 : earlierResult(P.Type, scramble(Path, Number));
    Received |= Result != 0;
    if (Result)
      memcpy(Call.Parameters.back().data(), &Result, 8);
    else
      pointers(P.Type, Call.Parameters.back().data(), scramble(Path, Number), 0, P.Name == "this");
  }
  fillPointers();
  // A pair of pointers may be the begin and the end of one array.
  for (size_t Number = 1; Number < F.Parameters.size(); ++Number)
    if (const TypeNode &T = D.type(F.Parameters[Number].Type);
        T.What == Kind::Pointer && !F.NoAlias && F.Parameters[Number].Type == F.Parameters[Number - 1].Type && D.type(T.Target).Size &&
        D.type(T.Target).What != Kind::Structure && choose(scramble(Path, Number), "pair", 6) == 1) {
      uint64_t Begin;
      memcpy(&Begin, Call.Parameters[Number - 1].data(), 8);
      for (const ArenaObject &O : Objects)
        if (ArenaBase + O.Offset == Begin && O.Type == T.Target) {
          uint64_t End = Begin + O.Count * D.type(T.Target).Size;
          memcpy(Call.Parameters[Number].data(), &End, 8);
        }
    }
  Calls.push_back(std::move(Call));
}

void Generator::patchGlobals(uint64_t Path) {
  InputHeader &H = Input.header();
  for (uint32_t Index = 0; Index < D.Globals.size() && H.Patches < MaxPatches; ++Index) {
    const GlobalNode &G = D.Globals[Index];
    if ((G.Defined && G.Constant) || !G.Type || D.type(G.Type).Size != G.Size || G.Size == 0 || G.Size > (G.Defined ? 4096 : 16384))
      continue;
    uint64_t Name = scramble(Path, Index);
    // What another unit defines may hold anything; what this one defines mostly holds what it begins with.
    if (choose(Name, "patch", G.Defined ? 12 : 2) != 1 || ArgumentsUsed + G.Size + 16 > InputArgumentsSize / 2)
      continue;
    uint8_t *Bytes = Input.arguments() + ArgumentsUsed;
    memset(Bytes, 0, G.Size);
    pointers(G.Type, Bytes, scramble(Name, 1), 1, false);
    fillPointers();
    scalars(G.Type, Bytes, scramble(Name, 2), false, G.Defined ? 1 : static_cast<uint32_t>(choose(Name, "style", 6)), true);
    H.Patch[H.Patches++] = {Index, 0, G.Size, ArgumentsUsed};
    ArgumentsUsed += (G.Size + 15) / 16 * 16;
  }
}

// Objects for functions of other units to return.
void Generator::answers(uint64_t Path, uint32_t Function) {
  InputHeader &H = Input.header();
  H.Answers = 0;
  memset(H.AnsweredObject, 0, std::min<size_t>(D.Stubs.size(), MaxAnsweringStubs) * sizeof H.AnsweredObject[0]);
  Target = &D.Functions[Function];
  for (uint32_t Stub : Target->Stubs)
    if (Stub < MaxAnsweringStubs && D.type(D.StubResults[Stub]).What == Kind::Pointer && choose(scramble(Path, Stub), "answer", 4))
      H.AnsweredObject[Stub] = pointerValue(D.type(D.StubResults[Stub]), scramble(Path, Stub), 1, true);
  fillPointers();
}

void Generator::build(const Seeds &S, bool Apart) {
  Made.begin(S);
  Built = &S;
  BuiltApart = Apart;
  Objects.clear();
  for (std::vector<uint32_t> &Known : Shareable)
    Known.clear();
  Lengths.clear();
  UnionMembers.clear();
  Unfilled.clear();
  Filled = 0;
  static const size_t Budgets[] = {8, 24, 60, 150};
  Budget = Budgets[choose(7, "objects", std::size(Budgets))];
  Calls.clear();
  Leaves.clear();
  Target = &D.Functions[S.Sequence.back().Function];
  Cursor = FirstObject;
  ArgumentsUsed = 0;
  InputHeader &H = Input.header();
  memset(&H, 0, offsetof(InputHeader, Call));
  H.Seed = choose(1, "stubs", 1u << 16);
  H.Denied = choose(8, "denied", 16) == 15 ? 1 + static_cast<uint32_t>(choose(8, "which", 4)) : 0;
  memset(Input.arena(), 0, FirstObject);
  memset(Input.mask(), MaskCompare, FirstObject);
  CurrentCall = 0;
  CurrentNoAlias = false;
  for (const CallSeed &Call : S.Sequence)
    CurrentNoAlias |= D.Functions[Call.Function].NoAlias;
  patchGlobals(2);
  for (uint32_t Index = 0; Index < S.Sequence.size(); ++Index)
    buildCall(Index, S.Sequence[Index].Function, S.Sequence[Index].Path);

  answers(5, S.Sequence.back().Function);

  // All objects are there now: the numbers may be their lengths.
  for (size_t Index = 0; Index < Objects.size(); ++Index) {
    const ArenaObject &O = Objects[Index];
    uint64_t Path = scramble(O.Path, 99);
    const TypeNode &T = D.type(O.Type);
    Target = &D.Functions[S.Sequence[O.Call].Function];
    uint8_t *Bytes = Input.arena() + O.Offset;
    if (T.What == Kind::Opaque || isFile(T))
      continue;
    uint32_t Style = static_cast<uint32_t>(choose(Path, "style", 6));
    if (T.What == Kind::Void || T.Size == 1 || T.Size == 0)
      characters(Bytes, O.Size, Path);
    else
      for (uint32_t Element = 0; Element < std::min(O.Count, LargestVariety); ++Element)
        scalars(O.Type, Bytes + Element * T.Size, scramble(Path, Element), false, Style, Element < 16);
    if (T.Size > 1 && !holdsPointers(O.Type))
      repeat(Bytes, uint64_t(LargestVariety) * T.Size, uint64_t(O.Count) * T.Size);
  }
  for (uint32_t Index = 0; Index < Calls.size(); ++Index) {
    BuiltCall &Call = Calls[Index];
    const FunctionNode &F = D.Functions[Call.Function];
    uint64_t Path = scramble(S.Sequence[Index].Path, 11);
    Target = &F;
    Near.clear();
    for (const std::vector<uint8_t> &Value : Call.Parameters)
      lengthsBehind(Value.data());
    for (size_t Number = 0; Number < F.Parameters.size(); ++Number)
      scalars(F.Parameters[Number].Type, Call.Parameters[Number].data(), scramble(Path, Number), F.Parameters[Number].Length, 3, true);
    CallEntry &Entry = H.Call[Index];
    Entry.Function = Call.Function;
    Entry.ArgumentsOffset = ArgumentsUsed;
    Entry.ArgumentsSize = F.BufferSize;
    uint8_t *Buffer = Input.arguments() + ArgumentsUsed;
    memset(Buffer, 0, F.BufferSize);
    for (const PieceNode &P : F.Pieces)
      if (P.Kind != "result") {
        const std::vector<uint8_t> &Value = Call.Parameters[P.Source];
        if (P.Offset < Value.size())
          memcpy(Buffer + P.Slot, Value.data() + P.Offset, std::min<size_t>(P.Size, Value.size() - P.Offset));
      }
    ArgumentsUsed += (F.BufferSize + 15) / 16 * 16;
    Entry.ResultMaskOffset = ArgumentsUsed;
    uint8_t *Mask = Input.arguments() + ArgumentsUsed;
    memset(Mask, MaskCompare, F.ResultSize + 16);
    if (F.ResultType && D.type(F.ResultType).Size <= F.ResultSize)
      writeMasks(F.ResultType, Mask), memset(Mask + D.type(F.ResultType).Size, MaskIgnore, F.ResultSize - D.type(F.ResultType).Size);
    ArgumentsUsed += (F.ResultSize + 31) / 16 * 16;
  }
  Target = &D.Functions[S.Sequence.back().Function];
  for (; !Target->Stubs.empty() && H.Answers < MaxAnswers; ++H.Answers)
    H.Answer[H.Answers] = integer(nullptr, 8, scramble(6, H.Answers), H.Answers % 2 == 1, 3, true);
  // One of several calls that has restrict parameters is enough.
  auto restricts = [&](const CallSeed &Call) { return D.Functions[Call.Function].NoAlias; };
  if (std::none_of(S.Sequence.begin(), S.Sequence.end(), restricts)) {
    clobbers();
    if (!D.Cxx)
      redirections();
  }
  uint32_t Kept = 0;
  for (uint32_t Index = 0; Index < Calls.size(); ++Index)
    if (S.Keep >> Index & 1) {
      H.Call[Kept] = H.Call[Index];
      if (Kept != Index)
        Calls[Kept] = std::move(Calls[Index]);
      ++Kept;
    }
  Calls.resize(Kept);
  H.Calls = Kept;
  H.Objects = static_cast<uint32_t>(Objects.size());
  for (size_t Index = 0; Index < Objects.size(); ++Index)
    H.Object[Index] = {Objects[Index].Offset, Objects[Index].Size};
  uint32_t End = (Cursor + RedZone + 15) / 16 * 16;
  memset(Input.arena() + Cursor, 0, End - Cursor);
  memset(Input.mask() + Cursor, MaskCompare, End - Cursor);
  H.ArenaUsed = End;
  H.ArgumentsUsed = ArgumentsUsed;
}

} // namespace cct
