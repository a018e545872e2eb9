// The same memory by another name: pointers into structures and along arrays, and what functions of other units know and change.
#include "generate.h"

#include <algorithm>
#include <cstring>

namespace cct {
namespace {

using Kind = TypeNode::Kind;

constexpr uint64_t VectorOfBytes = 33;
constexpr size_t MostParts = 64;

} // namespace

bool Generator::isByte(uint32_t Type) const {
  const TypeNode &T = D.type(Type);
  return T.Size == 1 && (T.What == Kind::Character || T.What == Kind::Integer);
}

bool Generator::mayLeadTo(uint32_t PointerType, const Leaf &L) const {
  if (L.Where == NotInArena || !L.Alone)
    return false;
  const uint32_t Wanted = D.type(PointerType).Target;
  const Kind Held = D.type(L.Type).What;
  if (isByte(Wanted))
    return L.What == Leaf::Kind::Bytes || Held == Kind::Integer || Held == Kind::Character;
  return L.What != Leaf::Kind::Bytes && L.Type == Wanted && Held != Kind::Void;
}

// Where in a value of one type one of another lies: a number or a pointer among others, or bytes, which any number is made of.
void Generator::partsOf(uint32_t Type, uint32_t Wanted, uint32_t Offset, std::vector<uint32_t> &Parts) const {
  const TypeNode &T = D.type(Type);
  if (Type == Wanted || (isByte(Wanted) && (T.What == Kind::Integer || T.What == Kind::Character))) {
    Parts.push_back(Offset);
  } else if (T.What == Kind::Array) {
    if (T.Count)
      partsOf(T.Target, Wanted, Offset, Parts);
  } else if (T.What == Kind::Structure) {
    for (const Member &M : T.Members)
      if (!M.BitSize && M.Offset + D.type(M.Type).Size <= T.Size && Parts.size() < MostParts)
        partsOf(M.Type, Wanted, Offset + M.Offset, Parts);
  }
}

uint64_t Generator::partOfStructure(uint32_t Wanted, uint64_t Path) {
  auto isOpen = [&](const ArenaObject &O) { return !O.Exclusive && D.type(O.Type).What == Kind::Structure && !isFile(D.type(O.Type)); };
  std::vector<uint32_t> Around;
  for (uint32_t Index = 0; Index < Objects.size(); ++Index)
    if (isOpen(Objects[Index]))
      Around.push_back(Index);
  if (Around.empty())
    return 0;
  // Mostly the one that the pointer itself is in.
  const uint32_t Other = Around[choose(Path, "of", Around.size())];
  const bool Own = InObject && isOpen(Objects[Unfilled[Filled].Object]) && choose(Path, "own", 4);
  const ArenaObject &O = Objects[Own ? Unfilled[Filled].Object : Other];
  std::vector<uint32_t> Parts;
  partsOf(O.Type, Wanted, 0, Parts);
  return Parts.empty() ? 0 : ArenaBase + O.Offset + Parts[choose(Path, "part", Parts.size())];
}

bool Generator::leadsToScalar(uint32_t Type) const {
  const TypeNode &T = D.type(Type), &Pointee = D.type(T.Target);
  return T.What == Kind::Pointer && !T.Restrict && Pointee.What != Kind::Void && Pointee.What <= Kind::Pointer && Pointee.Size;
}

uint64_t Generator::behind(uint64_t Before, uint32_t Pointee, uint64_t Path) {
  const ArenaObject *O = objectBefore(Before);
  const uint32_t Size = D.type(Pointee).Size;
  if (!O || O->Type != Pointee || O->Exclusive || Before > ArenaBase + O->Offset + O->Size)
    return 0;
  const uint64_t Places = (ArenaBase + O->Offset + O->Size - Before) / Size + 1;
  // What is copied between the two in large pieces goes elsewhere where they are near to each other.
  return Before + choose(Path, "element", choose(Path, "near", 2) ? std::min<uint64_t>(Places, VectorOfBytes) : Places) * Size;
}

const Leaf *Generator::openLeaf(uint64_t Path) const {
  for (const Leaf &L : Leaves)
    if (L.Path == Path) {
      const ArenaObject *O = L.Where == NotInArena || !L.Alone ? nullptr : objectBefore(ArenaBase + L.Where);
      return O && !O->Exclusive ? &L : nullptr;
    }
  return nullptr;
}

uint64_t Generator::farther(uint64_t Address, uint32_t PointerType, uint32_t Elements) const {
  const ArenaObject *O = objectBefore(Address);
  if (!O || Address > ArenaBase + O->Offset + O->Size)
    return Address;
  return std::min<uint64_t>(Address + uint64_t{Elements} * D.type(D.type(PointerType).Target).Size, ArenaBase + O->Offset + O->Size);
}

void Generator::redirections() {
  for (const Redirection &R : Built->Redirections)
    if (const Leaf *Pointer = openLeaf(R.Pointer), *To = openLeaf(R.To); Pointer && To && Pointer->What == Leaf::Kind::Pointer && mayLeadTo(Pointer->Type, *To)) {
      uint64_t Address = farther(ArenaBase + To->Where, Pointer->Type, R.Index);
      memcpy(Input.arena() + Pointer->Where, &Address, 8);
    }
}

// What other units' functions write of what they were not given: numbers, bytes and pointers as they are in the arena.
void Generator::clobbers() {
  InputHeader &H = Input.header();
  for (const Clobber &C : Built->Clobbers) {
    const Leaf *L = openLeaf(C.Path);
    if (!L || H.Clobbers == MaxClobbers || (L->What != Leaf::Kind::Bytes && L->Size > 8))
      continue;
    ClobberEntry Entry{C.Value, L->Where, L->Size, C.Call};
    if (L->What == Leaf::Kind::Bytes) {
      Entry.Offset += C.Index % L->Size;
      Entry.Size = 1;
    } else if (L->What == Leaf::Kind::Number && D.type(L->Type).What == Kind::Bool) {
      Entry.Value &= 1;
    } else if (L->What == Leaf::Kind::Pointer) {
      const Leaf *From = C.Value ? openLeaf(C.Value) : nullptr;
      // Where a reference or a table of virtual functions leads, stays.
      if (D.Cxx || (From && (From->What != Leaf::Kind::Pointer || From->Type != L->Type)))
        continue;
      Entry.Value = From ? farther(From->Value, L->Type, C.Index) : 0;
    }
    H.Clobber[H.Clobbers++] = Entry;
  }
}

} // namespace cct
