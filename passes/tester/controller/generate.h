// Inputs made from types: every decision is a choice with a name of its own, so that an input is a seed and a few choices
// that were made otherwise. Mutation changes choices, minimisation sets them to 0.
#pragma once

#include "description.h"
#include "variant.h"

#include <algorithm>
#include <bitset>
#include <cstring>
#include <unordered_map>

namespace cct {

struct Choice {
  uint64_t Path;
  uint64_t Bound;
};

struct CallSeed {
  uint32_t Function;
  uint64_t Path; // the name that its choices begin with
};

// A byte of an array of characters that is put there after all.
struct BytePatch {
  uint64_t Path; // of the array
  uint32_t Index;
  uint8_t Value;
};

// Something that a function of another unit writes, though it was not given it.
struct Clobber {
  uint64_t Path;  // of the leaf
  uint32_t Call;  // see ClobberEntry
  uint32_t Index; // of bytes: which; of a pointer: so many elements farther
  uint64_t Value; // of a pointer: the path of another leaf, whose value it gets; 0: null
};

// A pointer that leads to another leaf after all.
struct Redirection {
  uint64_t Pointer, To; // paths of leaves
  uint32_t Index;       // so many elements farther
};

// An input in the form that is kept.
struct Seeds {
  uint64_t Seed = 0;
  std::vector<CallSeed> Sequence;
  std::unordered_map<uint64_t, uint64_t> Fixed;
  std::vector<BytePatch> Bytes;
  std::vector<Clobber> Clobbers;
  std::vector<Redirection> Redirections;
  uint32_t Keep = ~0u; // which of the calls are made
  bool Plain = false; // choices that cannot be changed alone are all 0: for minimal inputs
  bool OfFailed = false; // made of an input that cannot be kept
};

// Something that the input holds, and how it can be made otherwise.
struct Leaf {
  enum class Kind { Number, Pointer, Bytes };
  Kind What;
  uint32_t Size;
  uint32_t Where; // offset in the arena; NotInArena: an argument, or what a stub answers
  uint64_t Path;  // of the choice that fixes a number; that a pointer's choices begin with; of an array of characters
  uint64_t Value; // of a number
  bool OfLength = false; // a number that was made up from the length of an array
  uint32_t Type = 0;     // of a number or a pointer
  bool Alone = true;     // false: a bit-field, beside which there are others
};
constexpr uint32_t NotInArena = ~0u;

// Spreads numbers; for the names of choices.
inline uint64_t scramble(uint64_t A, uint64_t B) {
  uint64_t Hash = (A + 0x9E3779B97F4A7C15ull) * 0xBF58476D1CE4E5B9ull ^ B;
  Hash = (Hash ^ (Hash >> 30)) * 0x94D049BB133111EBull;
  Hash = (Hash ^ (Hash >> 27)) * 0xBF58476D1CE4E5B9ull;
  return Hash ^ (Hash >> 31);
}

class Choices {
public:
  void begin(const Seeds &S) {
    Current = &S;
    Made.clear();
    MayBeFixed.reset();
    for (const auto &[Path, Value] : S.Fixed)
      MayBeFixed.set(Path % MayBeFixed.size());
  }
  // A number below Bound.
  uint64_t choose(uint64_t Path, uint64_t Bound);
  // The same, for what cannot be changed alone.
  uint64_t draw(uint64_t Path, uint64_t Bound) const { return Bound <= 1 || Current->Plain ? 0 : scramble(Current->Seed, Path) % Bound; }
  const std::vector<Choice> &made() const { return Made; }
  const std::vector<BytePatch> &bytes() const { return Current->Bytes; }
  // A choice that is only there when it was fixed.
  const uint64_t *fixed(uint64_t Path) const {
    if (!MayBeFixed.test(Path % MayBeFixed.size()))
      return nullptr;
    auto Found = Current->Fixed.find(Path);
    return Found == Current->Fixed.end() ? nullptr : &Found->second;
  }

private:
  const Seeds *Current = nullptr;
  std::vector<Choice> Made;
  std::bitset<4096> MayBeFixed; // most are not, and inputs ask about thousands
};

// What a choice is about, hashed by the compiler: inputs make thousands of choices.
struct ChoiceName {
  uint64_t Hash;
  template <size_t Size> constexpr ChoiceName(const char (&Text)[Size]) : Hash(14695981039346656037ull) {
    for (size_t Index = 0; Index + 1 < Size; ++Index)
      Hash = (Hash ^ static_cast<unsigned char>(Text[Index])) * 1099511628211ull;
  }
};

constexpr uint32_t RedZone = 64; // between two objects of the arena

inline bool isFile(const TypeNode &T) { return T.File; }

// One object of the arena, for reports and for other pointers to share.
struct ArenaObject {
  uint32_t Offset, Size;
  uint32_t Type;  // of its elements; 0: bytes
  uint32_t Count;
  uint32_t Call;  // for which call it was made
  uint64_t Path;  // that its choices begin with
  bool Exclusive; // nothing else may point to it
  uint32_t Declared; // the type that the pointer says
  uint64_t Cast;     // that the choice of another one begins with
};

// How many elements an array would have to have; Elements 0: it cannot be made longer.
struct Length {
  uint64_t Path; // of the choice that fixes it
  uint64_t Elements;
};

struct BuiltCall {
  uint32_t Function;
  std::vector<std::vector<uint8_t>> Parameters; // the values' bytes
};

// Fills memory with what its first bytes hold, again and again.
inline void repeat(uint8_t *Bytes, uint64_t Period, uint64_t Size) {
  for (uint64_t At = Period; At < Size; At += Period)
    memcpy(Bytes + At, Bytes, std::min(Period, Size - At));
}

class Generator {
public:
  Generator(const Description &D, SharedInput &Input);
  // Which functions calls may be made of: those that all variants have.
  void setCallable(std::vector<bool> Callable);
  void exclude(uint32_t Function) { Callable[Function] = false; }
  bool isCallable(uint32_t Function) const { return Callable[Function]; }
  // Functions that are given a structure which this one is given too.
  const std::vector<uint32_t> &related(uint32_t Function) const { return Related[Function]; }
  // Functions that return what this one may be given.
  const std::vector<uint32_t> &creators(uint32_t Function) const { return Creators[Function]; }
  // Lays an input out in the shared memory. Apart: so far apart that an access beyond an array's end tells which array it was; for the
  // sanitized variant alone.
  void build(const Seeds &S, bool Apart = false);

  const std::vector<Choice> &choices() const { return Made.made(); }
  const std::vector<Leaf> &leaves() const { return Leaves; }
  const std::vector<uint32_t> &lengths() const { return Lengths; }
  const std::vector<ArenaObject> &objects() const { return Objects; }
  // How long the array that ends before an address has to be, that it reaches there and somewhat farther.
  Length lengthUpTo(uint64_t Address) const;
  // The structures that the object before an address may be instead, so that the address lies within: choices that make it so.
  std::vector<std::pair<uint64_t, uint64_t>> castsBefore(uint64_t Address) const;
  const std::vector<BuiltCall> &calls() const { return Calls; }
  // Whether a pointer of the type may point to what a leaf is.
  bool mayLeadTo(uint32_t PointerType, const Leaf &L) const;
  // Whether a later call is given what this one returns.
  bool isReceived(size_t Call) const;
  // Whether a type may have bytes of which not every bit counts, or not as it is.
  bool isMasked(uint32_t Type) const;
  // One mask byte for each byte of a value of the type.
  void writeMasks(uint32_t Type, uint8_t *Mask) const;

private:
  void buildCall(uint32_t Index, uint32_t Function, uint64_t Path);
  void patchGlobals(uint64_t Path);
  void answers(uint64_t Path, uint32_t Function);
  // A leaf that functions of other units may write, and pointers may lead to; null: there is none of that path.
  const Leaf *openLeaf(uint64_t Path) const;
  // An address so many elements behind one, of what the pointer type points to, but no farther than the object's end.
  uint64_t farther(uint64_t Address, uint32_t PointerType, uint32_t Elements) const;
  void redirections();
  void clobbers();
  void setPointer(uint32_t Type, uint8_t *Bytes, uint64_t Path, uint64_t Value);
  void pointers(uint32_t Type, uint8_t *Bytes, uint64_t Path, uint32_t Depth, bool NeverNull);
  void scalars(uint32_t Type, uint8_t *Bytes, uint64_t Path, bool Length, uint32_t Style, bool Recorded);
  bool mayBeResultOf(uint32_t Type, uint32_t Function) const;
  // What stands for the result of an earlier call that returns such a pointer; 0: none does, or none is taken.
  uint64_t earlierResult(uint32_t Type, uint64_t Path);
  bool leadsToScalar(uint32_t Type) const;
  // A pointer to where another one points, or farther into the same array; 0: there is none.
  uint64_t behind(uint64_t Before, uint32_t Pointee, uint64_t Path);
  bool isByte(uint32_t Type) const;
  void partsOf(uint32_t Type, uint32_t Wanted, uint32_t Offset, std::vector<uint32_t> &Parts) const;
  // A pointer to a number or a pointer within a structure that is there; 0: there is none.
  uint64_t partOfStructure(uint32_t Wanted, uint64_t Path);
  uint64_t pointerValue(const TypeNode &T, uint64_t Path, uint32_t Depth, bool NeverNull);
  uint32_t arenaOffset(const uint8_t *Bytes) const {
    auto *Arena = const_cast<SharedInput &>(Input).arena();
    return Bytes >= Arena && Bytes < Arena + ArenaSize ? static_cast<uint32_t>(Bytes - Arena) : NotInArena;
  }
  uint64_t integer(const uint8_t *Bytes, uint32_t Size, uint64_t Path, bool Length, uint32_t Style, bool Recorded);
  uint64_t madeUpInteger(uint32_t Size, uint64_t Path, bool Length, uint32_t Style);
  uint64_t leaf(const uint8_t *Bytes, uint32_t Size, uint64_t Path, bool Recorded, uint64_t MadeUp);
  void floating(uint32_t Size, uint8_t *Bytes, uint64_t Path);
  void characters(uint8_t *Bytes, uint32_t Count, uint64_t Path);
  uint32_t alignmentOf(uint32_t Type) const;
  // What a pointer to the type is made to point to: what is declared, or what the code takes it for.
  uint32_t pointeeFor(uint32_t Declared, uint64_t Cast);
  // The structures that it may take it for.
  std::vector<uint32_t> casts(uint32_t Declared) const;
  // The mask of a value of the type.
  const std::vector<uint8_t> &maskOf(uint32_t Type);
  uint32_t newObject(uint32_t Type, uint32_t Count, uint32_t Size, uint64_t Path, bool Exclusive);
  bool alike(uint32_t A, uint32_t B) const;
  bool beginsWith(const TypeNode &T, uint32_t Other) const;
  // Which member a union holds in this place.
  size_t unionMember(const TypeNode &T, const uint8_t *Bytes, uint64_t Path);
  // The last object that begins at an address or before it; null: there is none. They lie in the order in which they were made.
  const ArenaObject *objectBefore(uint64_t Address) const;
  void fillPointers();
  void lengthsBehind(const uint8_t *Pointer);
  uint32_t countFor(const TypeNode &Pointee, uint64_t Path, uint32_t Depth);
  uint64_t choose(uint64_t Path, ChoiceName What, uint64_t Bound) { return Made.choose(scramble(Path, What.Hash), Bound); }
  // What cannot be changed alone: the parts of a number, which is changed as a whole.
  uint64_t draw(uint64_t Path, ChoiceName What, uint64_t Bound) const { return Made.draw(scramble(Path, What.Hash), Bound); }
  bool holdsPointers(uint32_t Type) const;

  const Description &D;
  SharedInput &Input;
  Choices Made;
  std::vector<bool> Callable;
  std::vector<std::vector<uint32_t>> Related; // functions that share a structure with one
  std::vector<std::vector<uint32_t>> Creators; // functions whose result one may be given
  std::vector<bool> Pointers;                 // by type: whether there is a pointer in it
  std::vector<bool> HasRange;                 // by type: whether two pointers in it may be the begin and the end of one array
  std::vector<std::vector<uint8_t>> Masks;    // by type, empty until it is needed
  std::vector<ArenaObject> Objects;
  std::vector<std::vector<uint32_t>> Shareable; // by type: objects that more may point to
  struct Pending {
    uint32_t Object, Depth;
  };
  std::vector<Pending> Unfilled; // objects whose pointers point nowhere yet, from Filled on
  uint64_t CastOfArray = 0; // what all elements of the array of pointers that is filled have in common; 0: nothing
  bool InObject = false; // it is the pointers of Unfilled[Filled] that are made
  size_t Filled = 0, Budget = 0; // Budget: no more objects than this, but for those that a call is given itself
  std::vector<uint32_t> Lengths; // of all arrays
  std::vector<uint32_t> Near;    // of those that the same structure, or the same call, points to
  std::unordered_map<const uint8_t *, size_t> UnionMembers;
  std::vector<BuiltCall> Calls;
  std::vector<Leaf> Leaves;
  const FunctionNode *Target = nullptr;
  const Seeds *Built = nullptr;
  uint32_t CurrentCall = 0;
  bool CurrentNoAlias = false;
  bool BuiltApart = false;
  bool OfLength = false; // the number that was made up last
  uint32_t Cursor = 0, ArgumentsUsed = 0;
};

} // namespace cct
