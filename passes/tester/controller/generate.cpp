#include "generate.h"

#include <algorithm>
#include <cstring>
#include <cstddef>
#include <set>

namespace cct {
namespace {

using Kind = TypeNode::Kind;

constexpr uint32_t FirstObject = 0x1000;
constexpr uint32_t RedZone = 64;
constexpr uint32_t LargestArena = 1u << 20;
constexpr uint32_t MaxDepth = 3;

bool isFile(const TypeNode &T) { return T.Name == "_IO_FILE" || T.Name == "FILE" || T.Name == "__sFILE"; }

} // namespace

uint64_t Choices::choose(uint64_t Path, uint64_t Bound, bool Recorded) {
  if (Bound <= 1)
    return 0;
  if (Recorded)
    Made.push_back({Path, Bound});
  if (!Current->Fixed.empty())
    if (auto Found = Current->Fixed.find(Path); Found != Current->Fixed.end())
      return Found->second % Bound;
  if (Current->Plain && !Recorded)
    return 0;
  return scramble(Current->Seed, Path) % Bound;
}

Generator::Generator(const Description &D, SharedInput &Input) : D(D), Input(Input) {
  // A fixed point, since types name themselves.
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
  // Which structures a function is given: calls of functions on the same structure make a history worth testing.
  std::vector<std::set<uint32_t>> Structures(D.Functions.size());
  for (size_t Index = 0; Index < D.Functions.size(); ++Index)
    for (const ParameterNode &P : D.Functions[Index].Parameters)
      if (const TypeNode &T = D.type(P.Type); T.What == Kind::Pointer && D.type(T.Target).What == Kind::Structure)
        Structures[Index].insert(T.Target);
  Related.resize(D.Functions.size());
  for (size_t A = 0; A < D.Functions.size(); ++A)
    for (size_t B = 0; B < D.Functions.size(); ++B)
      if (std::any_of(Structures[A].begin(), Structures[A].end(), [&](uint32_t T) { return Structures[B].count(T) != 0; }))
        Related[A].push_back(static_cast<uint32_t>(B));
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
    if (uint32_t Element = D.type(T.Target).Size; Element > 1)
      for (uint32_t Index = 0; Index < T.Count; ++Index)
        writeMasks(T.Target, Mask + Index * Element);
    break;
  case Kind::Structure:
    memset(Mask, MaskIgnore, T.Size);
    for (const Member &M : T.Members)
      if (M.BitSize)
        memset(Mask + M.BitOffset / 8, MaskCompare, (M.BitOffset + M.BitSize + 7) / 8 - M.BitOffset / 8);
      else if (uint32_t Size = D.type(M.Type).Size; Size && M.Offset + Size <= T.Size)
        writeMasks(M.Type, Mask + M.Offset);
    break;
  default:
    memset(Mask, MaskCompare, T.Size);
  }
}

uint32_t Generator::newObject(uint32_t Type, uint32_t Count, uint32_t Size, bool Exclusive) {
  uint32_t Offset = (Cursor + RedZone + 15) / 16 * 16;
  if (Offset + Size + RedZone > LargestArena || Objects.size() >= MaxObjects)
    return ~0u;
  memset(Input.arena() + Cursor, 0, Offset - Cursor + Size);
  memset(Input.mask() + Cursor, MaskCompare, Offset - Cursor + Size);
  Cursor = Offset + Size;
  uint32_t Element = Type ? D.type(Type).Size : 0;
  if (Element > 1)
    for (uint32_t Index = 0; Index < Count; ++Index)
      writeMasks(Type, Input.mask() + Offset + Index * Element);
  Objects.push_back({Offset, Size, Type, Count, CurrentCall, Exclusive});
  ObjectPaths.push_back(0);
  return static_cast<uint32_t>(Objects.size() - 1);
}

uint32_t Generator::countFor(const TypeNode &Pointee, uint64_t Path, uint32_t Depth) {
  static const uint32_t Few[] = {1, 1, 1, 1, 1, 2, 4, 16}, Many[] = {1, 2, 3, 4, 8, 16, 64, 256};
  static const uint32_t Bytes[] = {1, 4, 8, 16, 32, 64, 256, 1024};
  uint64_t Chosen = choose(Path, "count", 8);
  if (Pointee.What == Kind::Structure || Pointee.What == Kind::Union)
    return Pointee.Size > 256 || Depth > 0 ? (Chosen == 7 ? 2 : 1) : Few[Chosen];
  return Pointee.Size == 1 ? Bytes[Chosen] : Many[Chosen];
}

uint64_t Generator::pointerValue(const TypeNode &T, uint64_t Path, uint32_t Depth, bool NeverNull) {
  const TypeNode &Pointee = D.type(T.Target);
  if (Depth > MaxDepth)
    return 0;
  static const uint64_t NullShare[] = {32, 5, 3, 2};
  if (!NeverNull && !T.Reference && choose(Path, "null", NullShare[Depth]) == 1)
    return 0;
  if (Pointee.What == Kind::Function) {
    const CallbackNode &C = D.Callbacks[Pointee.Callback];
    return C.Usable && Pointee.Callback < MaxCallbacks ? CallbackBase + Pointee.Callback * CallbackStride : 0;
  }
  bool Exclusive = T.Restrict && Depth == 0;
  bool Opaque = Pointee.What == Kind::Opaque || isFile(Pointee);
  // An object that is there already.
  if (!Exclusive && !CurrentNoAlias) {
    std::vector<uint32_t> Same;
    for (uint32_t Index = 0; Index < Objects.size(); ++Index)
      if (!Objects[Index].Exclusive && Objects[Index].Type == T.Target)
        Same.push_back(Index);
    if (!Same.empty()) {
      bool Earlier = Depth == 0 && CurrentCall > 0 && Objects[Same.front()].Call < CurrentCall;
      bool Structure = Pointee.What == Kind::Structure || Opaque;
      // What was there before the call is what it is mostly about. Structures that point to each other mostly do so in pairs.
      uint64_t Share = Structure ? (Earlier ? 28 : Depth == 0 ? 4 : Pointee.Size > 256 ? 24 : 12) : Earlier ? 16 : 4;
      if (choose(Path, "share", 32) < Share) {
        const ArenaObject &O = Objects[Same[choose(Path, "which", Same.size())]];
        uint32_t Element = std::max(1u, Pointee.Size), Step = 0;
        if (O.Count > 1 && choose(Path, "inside", 4) == 1)
          Step = static_cast<uint32_t>(choose(Path, "element", O.Count + 1)); // one past the end, too
        return ArenaBase + O.Offset + Step * Element;
      }
    }
  }
  uint32_t Type = T.Target, Count = 1, Size = 0;
  if (Opaque || Pointee.What == Kind::Void) {
    Size = Opaque ? 64 : uint32_t(8) << choose(Path, "size", 8);
    Count = Opaque ? 1 : Size;
  } else {
    Count = countFor(Pointee, Path, Depth);
    Size = Count * Pointee.Size;
    if (Size == 0)
      return 0;
    // The last member may be an array without a size.
    if (Pointee.What == Kind::Structure && !Pointee.Members.empty())
      if (const TypeNode &Last = D.type(Pointee.Members.back().Type); Last.What == Kind::Array && Last.Count == 0)
        Size += 64, Count = 1;
  }
  uint32_t Index = newObject(Type, Count, Size, Exclusive || CurrentNoAlias);
  if (Index == ~0u)
    return 0;
  ObjectPaths[Index] = Path;
  uint32_t Offset = Objects[Index].Offset;
  if (Pointee.What != Kind::Structure && !Opaque)
    Lengths.push_back(Count);
  if (Pointee.Size && !isFile(Pointee) && holdsPointers(Type))
    for (uint32_t Element = 0; Element < Count; ++Element) {
      bool Last = Count > 1 && Element + 1 == Count && Pointee.What == Kind::Pointer;
      if (!(Last && choose(Path, "terminated", 2))) // as in argv
        pointers(Type, Input.arena() + Offset + Element * Pointee.Size, scramble(Path, Element), Depth + 1, false);
    }
  return ArenaBase + Offset;
}

void Generator::pointers(uint32_t Type, uint8_t *Bytes, uint64_t Path, uint32_t Depth, bool NeverNull) {
  const TypeNode &T = D.type(Type);
  if (!holdsPointers(Type))
    return;
  if (T.What == Kind::Pointer) {
    uint64_t Value = pointerValue(T, Path, Depth, NeverNull);
    memcpy(Bytes, &Value, 8);
  } else if (T.What == Kind::Array) {
    for (uint32_t Index = 0; Index < std::min(T.Count, 64u); ++Index)
      pointers(T.Target, Bytes + Index * D.type(T.Target).Size, scramble(Path, Index), Depth, false);
  } else if (T.What == Kind::Structure || T.What == Kind::Union) {
    for (size_t Index = 0; Index < T.Members.size(); ++Index) {
      const Member &M = T.Members[Index];
      if (M.BitSize || M.Offset + D.type(M.Type).Size > T.Size)
        continue;
      pointers(M.Type, Bytes + M.Offset, scramble(Path, 1000 + Index), Depth, false);
      if (T.What == Kind::Union)
        break; // the first member speaks for the union
    }
  }
}

void Generator::buildCall(uint32_t Index, uint32_t Function, uint64_t Path) {
  const FunctionNode &F = D.Functions[Function];
  CurrentCall = Index;
  CurrentNoAlias = F.NoAlias;
  BuiltCall Call{Function, {}};
  for (size_t Number = 0; Number < F.Parameters.size(); ++Number) {
    const ParameterNode &P = F.Parameters[Number];
    Call.Parameters.emplace_back(std::max(16u, D.type(P.Type).Size));
    pointers(P.Type, Call.Parameters.back().data(), scramble(Path, Number), 0, P.Name == "this");
  }
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
    if ((G.Defined && G.Constant) || !G.Type || D.type(G.Type).Size != G.Size || G.Size == 0 || G.Size > 4096)
      continue;
    uint64_t Name = scramble(Path, Index);
    // What another unit defines may hold anything; what this one defines mostly holds what it begins with.
    if (choose(Name, "patch", G.Defined ? 12 : 2) != 1 || ArgumentsUsed + G.Size + 16 > InputArgumentsSize / 2)
      continue;
    uint8_t *Bytes = Input.arguments() + ArgumentsUsed;
    memset(Bytes, 0, G.Size);
    pointers(G.Type, Bytes, scramble(Name, 1), 1, false);
    scalars(G.Type, Bytes, scramble(Name, 2), false, 1, true);
    H.Patch[H.Patches++] = {Index, 0, G.Size, ArgumentsUsed};
    ArgumentsUsed += (G.Size + 15) / 16 * 16;
  }
}

void Generator::build(const Seeds &S) {
  Made.begin(S);
  Objects.clear();
  ObjectPaths.clear();
  Lengths.clear();
  Calls.clear();
  Leaves.clear();
  Target = &D.Functions[S.Sequence.back().Function];
  Cursor = FirstObject;
  ArgumentsUsed = 0;
  InputHeader &H = Input.header();
  memset(&H, 0, offsetof(InputHeader, Call));
  H.Seed = choose(1, "stubs", 1u << 16);
  memset(Input.arena(), 0, FirstObject);
  memset(Input.mask(), MaskCompare, FirstObject);
  CurrentCall = 0;
  CurrentNoAlias = false;
  for (const CallSeed &Call : S.Sequence)
    CurrentNoAlias |= D.Functions[Call.Function].NoAlias;
  patchGlobals(2);
  for (uint32_t Index = 0; Index < S.Sequence.size(); ++Index)
    buildCall(Index, S.Sequence[Index].Function, S.Sequence[Index].Path);

  // All objects are there now: the numbers may be their lengths.
  for (size_t Index = 0; Index < Objects.size(); ++Index) {
    const ArenaObject &O = Objects[Index];
    uint64_t Path = scramble(ObjectPaths[Index], 99);
    const TypeNode &T = D.type(O.Type);
    Target = &D.Functions[S.Sequence[O.Call].Function];
    uint8_t *Bytes = Input.arena() + O.Offset;
    if (T.What == Kind::Opaque || isFile(T))
      continue;
    uint32_t Style = static_cast<uint32_t>(choose(Path, "style", 4));
    if (T.What == Kind::Void || T.Size == 1 || T.Size == 0)
      characters(Bytes, O.Size, Path, Style);
    else
      for (uint32_t Element = 0; Element < O.Count; ++Element)
        scalars(O.Type, Bytes + Element * T.Size, scramble(Path, Element), false, Style, Element < 16);
  }
  for (uint32_t Index = 0; Index < Calls.size(); ++Index) {
    BuiltCall &Call = Calls[Index];
    const FunctionNode &F = D.Functions[Call.Function];
    uint64_t Path = scramble(S.Sequence[Index].Path, 11);
    Target = &F;
    for (size_t Number = 0; Number < F.Parameters.size(); ++Number)
      scalars(F.Parameters[Number].Type, Call.Parameters[Number].data(), scramble(Path, Number), F.Parameters[Number].Length, 3, true);
    CallEntry &Entry = H.Call[Index];
    Entry.Function = Call.Function;
    Entry.ArgumentsOffset = ArgumentsUsed;
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
