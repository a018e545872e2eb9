// The objects of an input and what points to what, made before the numbers: these may be lengths of those.
#include "generate.h"

#include <algorithm>
#include <cstring>

namespace cct {
namespace {

using Kind = TypeNode::Kind;

constexpr uint32_t LargestArena = 2u << 20, LargestArray = 320u << 10;
constexpr uint32_t FarApart = 384u << 10, ApartObjects = 16; // these, and some arrays as long as that, fit into the arena
constexpr uint32_t LessApart = 4u << 10, LessApartUpTo = 7u << 20; // the next ones, while there is room
constexpr uint32_t MaxDepth = 5;
constexpr uint32_t LargeStructure = 16u << 10;

bool isUnknown(const TypeNode &T) { return T.What == Kind::Opaque || T.What == Kind::Void; }

} // namespace

uint32_t Generator::alignmentOf(uint32_t Type) const {
  const TypeNode &T = D.type(Type);
  uint32_t Result = 1;
  if (T.What == Kind::Array)
    return alignmentOf(T.Target);
  if (T.What == Kind::Structure || T.What == Kind::Union) {
    for (const Member &M : T.Members)
      Result = std::max(Result, alignmentOf(M.Type));
    return Result;
  }
  while (Result < 16 && Result < T.Size)
    Result *= 2;
  return Result;
}

uint32_t Generator::newObject(uint32_t Type, uint32_t Count, uint32_t Size, uint64_t Path, bool Exclusive) {
  uint32_t Distance = RedZone;
  if (BuiltApart && Objects.size() < ApartObjects)
    Distance = FarApart;
  else if (BuiltApart && Cursor < LessApartUpTo)
    Distance = std::max(LessApart, D.type(Objects.back().Type).Size); // an element too far is no other object
  uint32_t Offset = (Cursor + Distance + 15) / 16 * 16, Alignment = alignmentOf(Type);
  // What the code takes for a structure is mostly aligned like one.
  if (D.type(Type).What == Kind::Void && !Target->Structures.empty() && choose(Path, "structured", 4))
    Alignment = 16;
  // No better aligned than it has to be, now and then.
  if (Alignment < 16 && choose(Path, "shifted", 3) == 1)
    Offset += Alignment * (1 + static_cast<uint32_t>(choose(Path, "shift", 16 / Alignment - 1)));
  if (Offset + Size + RedZone > (BuiltApart ? ArenaSize : LargestArena) || Objects.size() >= MaxObjects)
    return ~0u;
  // Of what lies apart nobody sees more than the objects, and nothing is compared.
  const uint32_t From = BuiltApart ? Offset : Cursor;
  Cursor = Offset + Size;
  memset(Input.arena() + From, 0, Cursor - From);
  if (!BuiltApart) {
    memset(Input.mask() + From, MaskCompare, Cursor - From);
    if (isMasked(Type)) {
      const std::vector<uint8_t> &Mask = maskOf(Type);
      for (uint32_t Index = 0; Index < Count; ++Index)
        memcpy(Input.mask() + Offset + Index * Mask.size(), Mask.data(), Mask.size());
    }
  }
  Objects.push_back({Offset, Size, Type, Count, CurrentCall, Path, Exclusive, Type, Path});
  if (!Exclusive)
    Shareable[Type].push_back(static_cast<uint32_t>(Objects.size() - 1));
  return static_cast<uint32_t>(Objects.size() - 1);
}

const std::vector<uint8_t> &Generator::maskOf(uint32_t Type) {
  std::vector<uint8_t> &Mask = Masks[Type];
  if (Mask.empty()) {
    Mask.resize(D.type(Type).Size);
    writeMasks(Type, Mask.data());
  }
  return Mask;
}

// A pointer to const may be one to what is not.
bool Generator::alike(uint32_t A, uint32_t B) const {
  return A == B || (D.type(A).What == Kind::Pointer && D.type(B).What == Kind::Pointer && D.type(A).Target == D.type(B).Target);
}

bool Generator::beginsWith(const TypeNode &T, uint32_t Other) const {
  if (T.What != Kind::Structure || T.Members.empty() || T.Members.front().BitSize)
    return false;
  uint32_t First = T.Members.front().Type;
  const TypeNode &O = D.type(Other);
  return First == Other || (O.What == Kind::Structure && !O.Members.empty() && !O.Members.front().BitSize && alike(O.Members.front().Type, First)) ||
         beginsWith(D.type(First), Other);
}

std::vector<uint32_t> Generator::casts(uint32_t Declared) const {
  const TypeNode &T = D.type(Declared);
  if (isFile(T))
    return {};
  if (isUnknown(T))
    return Target->Structures;
  std::vector<uint32_t> Larger;
  if (T.What == Kind::Structure)
    for (uint32_t Other : Target->Structures)
      if (Other != Declared && D.type(Other).Size >= T.Size && beginsWith(D.type(Other), Declared))
        Larger.push_back(Other);
  return Larger;
}

uint32_t Generator::pointeeFor(uint32_t Declared, uint64_t Cast) {
  const std::vector<uint32_t> Known = casts(Declared);
  if (Known.empty())
    return Declared;
  uint32_t Taken = Known[choose(Cast, "to", Known.size())];
  // What is very large takes the time of a thousand others.
  uint64_t Share = !isUnknown(D.type(Declared)) ? 3 : D.type(Taken).Size > LargeStructure ? 2 : 8;
  return choose(Cast, "cast", Share) ? Taken : Declared;
}

std::vector<std::pair<uint64_t, uint64_t>> Generator::castsBefore(uint64_t Address) const {
  std::vector<std::pair<uint64_t, uint64_t>> Result;
  const ArenaObject *O = objectBefore(Address);
  if (!O || Address >= ArenaBase + LargestArena)
    return Result;
  const std::vector<uint32_t> Known = casts(O->Declared);
  for (size_t Index = 0; Index < Known.size(); ++Index)
    if (D.type(Known[Index]).Size > Address - ArenaBase - O->Offset)
      Result.emplace_back(O->Cast, Index);
  return Result;
}

size_t Generator::unionMember(const TypeNode &T, const uint8_t *Bytes, uint64_t Path) {
  auto [Place, New] = UnionMembers.try_emplace(Bytes, 0);
  if (New) {
    auto isPointer = [&](size_t Index) { return D.type(T.Members[Index].Type).What == Kind::Pointer; };
    // What is a pointer or a number is mostly the pointer; the number stands for it while it is moved.
    if (T.Members.size() == 2 && isPointer(0) != isPointer(1) && D.type(T.Members[isPointer(0)].Type).What == Kind::Integer)
      Place->second = choose(Path, "member", 8) == 1 ? isPointer(0) : isPointer(1);
    else
      Place->second = choose(Path, "member", T.Members.size());
  }
  return Place->second < T.Members.size() ? Place->second : 0;
}

uint32_t Generator::countFor(const TypeNode &Pointee, uint64_t Path, uint32_t Depth) {
  // Vectorized loops begin at 4 to 64 elements, and what is left over goes elsewhere.
  static const uint32_t Few[] = {1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 4, 16}, Many[] = {1, 2, 3, 4, 5, 8, 16, 17, 33, 65, 100, 257};
  static const uint32_t Bytes[] = {1, 3, 4, 8, 16, 17, 33, 64, 65, 100, 257, 1024};
  if (const uint64_t *Fixed = Made.fixed(scramble(Path, ChoiceName("length").Hash)))
    return static_cast<uint32_t>(std::min<uint64_t>(*Fixed, LargestArray / std::max(1u, Pointee.Size)));
  uint64_t Chosen = choose(Path, "count", Pointee.What == Kind::Pointer ? 9 : 16);
  bool Array = Pointee.What != Kind::Structure && Pointee.What != Kind::Union;
  // Of themselves they are seldom that large.
  if (Array && Chosen > 12 && (Made.fixed(scramble(Path, ChoiceName("count").Hash)) || choose(Path, "large", 8) == 7))
    return Chosen == 13 ? 600 : Chosen == 14 ? 4096 : 20000;
  if (Chosen == 12 && Array && !Target->Sizes.empty())
    return Target->Sizes[choose(Path, "size", Target->Sizes.size())] + static_cast<uint32_t>(choose(Path, "more", 3)) * 32;
  Chosen %= 12;
  if (Pointee.What == Kind::Structure || Pointee.What == Kind::Union)
    return Pointee.Size > 256 || Depth > 0 ? (Chosen == 11 ? 2 : 1) : Few[Chosen];
  return Pointee.Size == 1 ? Bytes[Chosen] : Many[Chosen];
}

bool Generator::mayBeResultOf(uint32_t Type, uint32_t Function) const {
  const TypeNode &Taken = D.type(Type), &Given = D.type(D.Functions[Function].ResultType);
  if (Taken.What != Kind::Pointer || Given.What != Kind::Pointer || Taken.Target != Given.Target)
    return false;
  Kind Pointee = D.type(Taken.Target).What;
  return Pointee == Kind::Structure || Pointee == Kind::Opaque || Pointee == Kind::Void;
}

uint64_t Generator::earlierResult(uint32_t Type, uint64_t Path) {
  std::vector<uint32_t> Earlier; // their places among the calls that are made
  uint32_t Place = 0;
  for (uint32_t Call = 0; Call < CurrentCall; ++Call)
    if (Built->Keep >> Call & 1) {
      if (mayBeResultOf(Type, Built->Sequence[Call].Function))
        Earlier.push_back(Place);
      ++Place;
    }
  if (Earlier.empty() || choose(Path, "result", 4) == 0)
    return 0;
  return ResultBase + Earlier[choose(Path, "made", Earlier.size())];
}

bool Generator::isReceived(size_t Call) const {
  for (const BuiltCall &Later : Calls)
    for (const std::vector<uint8_t> &Parameter : Later.Parameters) {
      uint64_t Value;
      memcpy(&Value, Parameter.data(), 8);
      if (Value == ResultBase + Call)
        return true;
    }
  return false;
}

uint64_t Generator::pointerValue(const TypeNode &T, uint64_t Path, uint32_t Depth, bool NeverNull) {
  if (Depth > MaxDepth)
    return 0;
  uint64_t Cast = CastOfArray ? CastOfArray : Path;
  uint32_t PointeeType = pointeeFor(T.Target, Cast);
  const TypeNode &Pointee = D.type(PointeeType);
  // Deep down there are fewer and fewer structures; what is a text or an array of numbers leads no further.
  static const uint64_t NullShare[] = {32, 5, 3, 2, 2, 2};
  uint64_t Share = holdsPointers(PointeeType) ? NullShare[Depth] : std::max<uint64_t>(NullShare[Depth], 8);
  if (!NeverNull && !T.Reference && choose(Path, "null", Share) == 1)
    return 0;
  bool Full = Depth > 0 && Objects.size() >= Budget;
  if (Pointee.What == Kind::Function) {
    const CallbackNode &C = D.Callbacks[Pointee.Callback];
    return C.Usable && Pointee.Callback < MaxCallbacks ? CallbackBase + Pointee.Callback * CallbackStride : 0;
  }
  bool Exclusive = T.Restrict && Depth == 0;
  bool Opaque = Pointee.What == Kind::Opaque || isFile(Pointee);
  // An object that is there already.
  if (!Exclusive && !CurrentNoAlias) {
    const std::vector<uint32_t> &Same = Shareable[PointeeType];
    if (!Same.empty()) {
      bool Earlier = Depth == 0 && CurrentCall > 0 && Objects[Same.front()].Call < CurrentCall;
      bool Structure = Pointee.What == Kind::Structure || Opaque;
      // What was there before the call is what it is mostly about. Structures that point to each other mostly do so in pairs.
      uint64_t Shared = Structure ? (Earlier ? 28 : Depth == 0 ? 4 : Pointee.Size > 256 ? 24 : 12) : Earlier ? 16 : 4;
      if (choose(Path, "share", 32) < Shared || Full) {
        const ArenaObject &O = Objects[Same[choose(Path, "which", Same.size())]];
        uint32_t Element = std::max(1u, Pointee.Size), Step = 0;
        if (O.Count > 1 && choose(Path, "inside", 4) == 1)
          Step = static_cast<uint32_t>(choose(Path, "element", O.Count + 1)); // one past the end, too
        return ArenaBase + O.Offset + Step * Element;
      }
    }
  }
  // Something within a structure: it may be changed by what is not its name.
  if (bool Scalar = Pointee.What <= Kind::Pointer && Pointee.What != Kind::Void; Scalar && !Exclusive && !CurrentNoAlias && choose(Path, "within", 24) == 1)
    if (uint64_t Part = partOfStructure(PointeeType, Path)) {
      Lengths.push_back(1);
      return Part;
    }
  if (Full)
    return 0;
  uint32_t Type = PointeeType, Count = 1, Size = 0;
  if (Opaque || Pointee.What == Kind::Void) {
    const uint64_t *Fixed = Made.fixed(scramble(Path, ChoiceName("length").Hash));
    Size = Opaque ? 64 : Fixed ? static_cast<uint32_t>(*Fixed) : uint32_t(8) << choose(Path, "size", 8);
    Count = Opaque ? 1 : Size;
  } else {
    Count = countFor(Pointee, Path, Depth);
    if (Pointee.Size && Count > LargestArray / Pointee.Size)
      Count = std::max(1u, LargestArray / 4 / Pointee.Size);
    Size = Count * Pointee.Size;
    if (Size == 0)
      return 0;
    // The last member may be an array without a size.
    if (Pointee.What == Kind::Structure && !Pointee.Members.empty())
      if (const TypeNode &Last = D.type(Pointee.Members.back().Type); Last.What == Kind::Array && Last.Count <= 1)
        Size += 64, Count = 1;
  }
  uint32_t Index = newObject(Type, Count, Size, Path, Exclusive || CurrentNoAlias);
  if (Index == ~0u)
    return 0;
  uint32_t Offset = Objects[Index].Offset;
  Objects[Index].Declared = T.Target;
  Objects[Index].Cast = Cast;
  if (Pointee.What != Kind::Structure && !Opaque)
    Lengths.push_back(Count);
  if (Pointee.Size && !isFile(Pointee) && holdsPointers(Type))
    Unfilled.push_back({Index, Depth + 1});
  // Some look at what lies before, as at a decoder's window.
  bool Array = Count > 1 && Pointee.What != Kind::Structure && Pointee.What != Kind::Union;
  uint64_t Before = Array && choose(Path, "amid", 12) == 1 ? choose(Path, "before", 1024) : 0;
  return ArenaBase + Offset + (Before < Count ? Before : Count / 2) * std::max(1u, Pointee.Size);
}

// What is near the roots comes first, so that no branch takes what others need.
void Generator::fillPointers() {
  InObject = true;
  for (; Filled < Unfilled.size(); ++Filled) {
    const auto [Index, Depth] = Unfilled[Filled];
    const ArenaObject O = Objects[Index];
    const TypeNode &Pointee = D.type(O.Type);
    CastOfArray = Pointee.What == Kind::Pointer && O.Count > 1 && choose(O.Path, "alike", 4) ? O.Path : 0;
    for (uint32_t Element = 0; Element < O.Count; ++Element) {
      bool Last = O.Count > 1 && Element + 1 == O.Count && Pointee.What == Kind::Pointer;
      if (!(Last && choose(O.Path, "terminated", 2))) // as in argv
        pointers(O.Type, Input.arena() + O.Offset + Element * Pointee.Size, scramble(O.Path, Element), Depth, false);
    }
  }
  CastOfArray = 0;
  InObject = false;
}

void Generator::setPointer(uint32_t Type, uint8_t *Bytes, uint64_t Path, uint64_t Value) {
  memcpy(Bytes, &Value, 8);
  Leaves.push_back({Leaf::Kind::Pointer, 8, arenaOffset(Bytes), Path, Value, false, Type});
}

void Generator::pointers(uint32_t Type, uint8_t *Bytes, uint64_t Path, uint32_t Depth, bool NeverNull) {
  const TypeNode &T = D.type(Type);
  if (!holdsPointers(Type))
    return;
  if (T.What == Kind::Pointer) {
    setPointer(Type, Bytes, Path, pointerValue(T, Path, Depth, NeverNull));
  } else if (T.What == Kind::Array) {
    for (uint32_t Index = 0; Index < std::min(T.Count, 64u); ++Index)
      pointers(T.Target, Bytes + Index * D.type(T.Target).Size, scramble(Path, Index), Depth, false);
  } else if (T.What == Kind::Union) {
    size_t Index = unionMember(T, Bytes, scramble(Path, 999));
    pointers(T.Members[Index].Type, Bytes + T.Members[Index].Offset, scramble(Path, 1000 + Index), Depth, false);
  } else if (T.What == Kind::Structure) {
    const bool Ordered = HasRange[Type] && !CurrentNoAlias && choose(Path, "ordered", 3) == 1;
    std::unordered_map<uint32_t, uint64_t> Last; // by pointee
    for (size_t Index = 0; Index < T.Members.size(); ++Index) {
      const Member &M = T.Members[Index];
      if (M.BitSize || M.Offset + D.type(M.Type).Size > T.Size)
        continue;
      const uint64_t Part = scramble(Path, 1000 + Index);
      if (!Ordered || !leadsToScalar(M.Type)) {
        pointers(M.Type, Bytes + M.Offset, Part, Depth, false);
        continue;
      }
      uint64_t &Before = Last[D.type(M.Type).Target];
      if (uint64_t Next = Before ? behind(Before, D.type(M.Type).Target, Part) : 0)
        setPointer(M.Type, Bytes + M.Offset, Part, Next);
      else
        pointers(M.Type, Bytes + M.Offset, Part, Depth, false);
      memcpy(&Before, Bytes + M.Offset, 8);
    }
  }
}

const ArenaObject *Generator::objectBefore(uint64_t Address) const {
  auto After = std::upper_bound(Objects.begin(), Objects.end(), Address,
                                [](uint64_t V, const ArenaObject &O) { return V < ArenaBase + O.Offset; });
  return After == Objects.begin() ? nullptr : &*std::prev(After);
}

Length Generator::lengthUpTo(uint64_t Address) const {
  const ArenaObject *O = objectBefore(Address);
  if (!O || D.type(O->Type).What == Kind::Opaque || isFile(D.type(O->Type)))
    return {};
  uint64_t Element = std::max(1u, D.type(O->Type).Size), Needed = (Address - ArenaBase - O->Offset) / Element + 1;
  // What reads on and on gets there in a few steps.
  uint64_t Elements = std::max<uint64_t>(Needed, O->Count * (O->Count < 4096 ? 4 : 2));
  return {scramble(O->Path, ChoiceName("length").Hash), Elements * Element > LargestArray ? 0 : Elements};
}

void Generator::lengthsBehind(const uint8_t *Pointer) {
  uint64_t Value;
  memcpy(&Value, Pointer, 8);
  if (const ArenaObject *O = objectBefore(Value); O && D.type(O->Type).What != Kind::Structure)
    if (uint64_t Before = (Value - ArenaBase - O->Offset) / std::max(1u, D.type(O->Type).Size); Before < O->Count)
      Near.push_back(O->Count - static_cast<uint32_t>(Before));
}

} // namespace cct
