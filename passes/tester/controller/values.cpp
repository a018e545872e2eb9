// The numbers, characters and floating-point values of an input.
#include "generate.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace cct {

using Kind = TypeNode::Kind;

constexpr size_t MaxLeaves = 8192;

// The number that is fixed in this place, or one that is made up. Recorded: it can be fixed.
uint64_t Generator::leaf(const uint8_t *Bytes, uint32_t Size, uint64_t Path, bool Recorded, uint64_t MadeUp) {
  if (!Recorded)
    return MadeUp;
  uint64_t Exact = scramble(Path, ChoiceName("exact").Hash);
  const uint64_t *Fixed = Made.fixed(Exact);
  uint64_t Value = Fixed ? *Fixed : MadeUp;
  if (Leaves.size() < MaxLeaves)
    Leaves.push_back({Leaf::Kind::Number, Size, arenaOffset(Bytes), Exact, Size < 8 ? Value & ((1ull << 8 * Size) - 1) : Value, OfLength});
  return Value;
}

uint64_t Generator::integer(const uint8_t *Bytes, uint32_t Size, uint64_t Path, bool Length, uint32_t Style, bool Recorded) {
  return leaf(Bytes, Size, Path, Recorded, madeUpInteger(Size, Path, Length, Style));
}

// Style, of the object: 0 all zero, 1 small, 2 and 3 anything, 4 noise in every bit, 5 all bits set.
uint64_t Generator::madeUpInteger(uint32_t Size, uint64_t Path, bool Length, uint32_t Style) {
  OfLength = false;
  if (Style == 0)
    return draw(Path, "exception", 8) == 7 ? draw(Path, "small", 10) : 0;
  if (Style == 1)
    return draw(Path, "small", 10);
  if (Length && !Near.empty() && draw(Path, "near", 4) != 3) {
    OfLength = true;
    uint64_t Longest = Near[draw(Path, "which", Near.size())];
    return draw(Path, "whole", 2) == 0 ? Longest : draw(Path, "below", Longest + 1);
  }
  // What nobody looks at may still be what shows that a store is missing, or too narrow. And a number that is in no other place
  // tells where a comparison has its operand from.
  if (Style == 4)
    return scramble(draw(Path, "noise", 1u << 30), Path);
  if (Style == 5)
    return ~0ull;
  Length = Length && !Lengths.empty();
  uint64_t Mode = draw(Path, "mode", 16);
  if (Length ? Mode < 12 : Mode >= 4 && Mode < 7 && !Lengths.empty()) {
    OfLength = true;
    uint64_t Longest = Lengths[draw(Path, "length", Lengths.size())];
    uint64_t How = draw(Path, "how", 4);
    return How == 0 ? Longest : How == 1 ? (Longest ? Longest - 1 : 0) : draw(Path, "below", Longest + 1);
  }
  switch (Mode) {
  case 7:
  case 8: {
    uint64_t Bits = 8ull * std::min(Size, 8u);
    const uint64_t Boundaries[] = {1ull << (Bits - 1), (1ull << (Bits - 1)) - 1, ~0ull, 0, 1, 255, 256, 65535, 65536, 127, 128, 0x7FFFFFFF, 0x80000000ull};
    return Boundaries[draw(Path, "boundary", std::size(Boundaries))];
  }
  case 9:
  case 10:
    if (const auto &Known = Target->Constants; !Known.empty())
      if (uint64_t Base = Known[draw(Path, "constant", Known.size())]; true) {
        uint64_t Near = draw(Path, "near", 5);
        return Near == 3 ? Base + 1 : Near == 4 ? Base - 1 : Base;
      }
    return draw(Path, "small", 10);
  case 11:
    return draw(Path, "any", ~0ull);
  case 12:
    return (1ull << draw(Path, "power", 8ull * std::min(Size, 8u))) + draw(Path, "near", 3) - 1;
  case 13:
    return 0 - draw(Path, "small", 10);
  case 14:
    return draw(Path, "byte", 256);
  case 15:
    return draw(Path, "any", ~0ull) >> draw(Path, "shift", 64);
  default:
    return draw(Path, "small", 10);
  }
}

void Generator::floating(uint32_t Size, uint8_t *Bytes, uint64_t Path) {
  static const double Special[] = {0.0, 1.0, -1.0, 0.5, -0.0, 2.0, 1e-3, 1e10, -2.5, 3.0, 10.0, 100.0, 1e300, 1e-310, 4294967296.0, 0.1,
                                   std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
                                   std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::denorm_min()};
  double Value;
  switch (draw(Path, "float", 6)) {
  case 0:
  case 1:
    Value = Special[draw(Path, "special", std::size(Special))];
    break;
  case 2:
    Value = static_cast<double>(draw(Path, "small", 200)) - 100;
    break;
  case 3:
    Value = (static_cast<double>(draw(Path, "part", 1u << 20)) - (1 << 19)) / 1024.0;
    break;
  case 4:
    Value = static_cast<double>(draw(Path, "unit", 1ull << 52)) / static_cast<double>(1ull << 52);
    break;
  default: {
    uint64_t Bits = draw(Path, "bits", ~0ull);
    memcpy(&Value, &Bits, 8);
  }
  }
  if (Size == 4) {
    auto Narrow = static_cast<float>(Value);
    memcpy(Bytes, &Narrow, 4);
  } else if (Size == 8) {
    memcpy(Bytes, &Value, 8);
  } else if (Size == 16) {
    long double Wide = Value;
    memcpy(Bytes, &Wide, 10);
  }
}

void Generator::characters(uint8_t *Bytes, uint32_t Count, uint64_t Path) {
  uint64_t Mode = choose(Path, "characters", 8);
  uint64_t Seed = choose(Path, "seed", 1u << 16);
  uint64_t Four = 0; // 16 bits for each of the characters that come next
  auto random = [&](uint32_t Index, uint64_t Bound) {
    Four = Index % 4 == 0 ? scramble(Seed, Index) : Four >> 16;
    return (Four & 0xFFFF) * Bound >> 16;
  };
  // What is long is the same again and again, or not.
  uint32_t First = std::min(Count, Count > 512 && choose(Path, "repeated", 2) ? 1u << 17 : 512u);
  for (uint32_t Index = 0; Index < First; ++Index) {
    switch (Mode) {
    case 0:
      Bytes[Index] = 0;
      break;
    case 1:
      Bytes[Index] = static_cast<uint8_t>('a' + random(Index, 26));
      break;
    case 2:
      Bytes[Index] = static_cast<uint8_t>(' ' + random(Index, 95));
      break;
    case 3:
      Bytes[Index] = static_cast<uint8_t>(random(Index, 256));
      break;
    case 4:
      Bytes[Index] = static_cast<uint8_t>('a' + random(Index, 2));
      break;
    case 5:
      Bytes[Index] = static_cast<uint8_t>("0123456789+-. exX"[random(Index, 17)]);
      break;
    case 6:
      Bytes[Index] = static_cast<uint8_t>("ab \t\n,;:/\\\"'{}[]()<>=#%&*!?_-0"[random(Index, 31)]);
      break;
    default:
      Bytes[Index] = static_cast<uint8_t>(Seed + Index);
    }
  }
  repeat(Bytes, First, Count);
  // Words that the function knows.
  if (const auto &Known = Target->Strings; !Known.empty() && choose(Path, "words", 2) == 1)
    for (uint64_t Word = choose(Path, "howmany", 3); Word-- > 0;) {
      const std::string &Text = Known[choose(scramble(Path, Word), "word", Known.size())];
      uint64_t At = choose(scramble(Path, Word), "at", 4) == 0 ? 0 : choose(scramble(Path, Word), "position", Count);
      memcpy(Bytes + At, Text.data(), std::min<size_t>(Text.size(), Count - At));
    }
  const auto &Known = Target->Constants;
  for (uint64_t Change = choose(Path, "changes", 4); Change-- > 0;)
    Bytes[choose(scramble(Path, Change), "changed", Count)] = static_cast<uint8_t>(
        Known.empty() || choose(scramble(Path, Change), "known", 2) == 0
            ? choose(scramble(Path, Change), "to", 256)
            : Known[choose(scramble(Path, Change), "constant", Known.size())]);
  // Mostly there is an end somewhere: what takes a string would run on.
  if (Count && choose(Path, "open", 5) != 4) {
    Bytes[Count - 1] = 0;
    if (choose(Path, "shorter", 2) == 1)
      Bytes[choose(Path, "end", Count)] = 0;
  }
  for (const BytePatch &Patch : Made.bytes())
    if (Patch.Path == Path && Patch.Index < Count)
      Bytes[Patch.Index] = Patch.Value;
  if (Count && Leaves.size() < MaxLeaves)
    Leaves.push_back({Leaf::Kind::Bytes, Count, arenaOffset(Bytes), Path, 0});
}

void Generator::scalars(uint32_t Type, uint8_t *Bytes, uint64_t Path, bool Length, uint32_t Style, bool Recorded) {
  const TypeNode &T = D.type(Type);
  const size_t Before = Leaves.size();
  switch (T.What) {
  case Kind::Integer:
  case Kind::Character: {
    uint64_t Value = integer(Bytes, T.Size, Path, Length, Style, Recorded);
    if (T.Size > 8) {
      memset(Bytes, static_cast<int64_t>(Value) < 0 ? 0xFF : 0, T.Size);
      memcpy(Bytes, &Value, 8);
    } else {
      memcpy(Bytes, &Value, T.Size);
    }
    break;
  }
  case Kind::Bool:
    memset(Bytes, 0, T.Size);
    Bytes[0] = leaf(Bytes, 1, Path, Recorded, Style ? draw(Path, "bool", 2) : 0) & 1;
    break;
  case Kind::Enumeration: {
    int64_t Value = 0;
    if (!T.Values.empty() && Style && draw(Path, "other", 16) != 15)
      Value = static_cast<int64_t>(leaf(Bytes, T.Size, Path, Recorded, static_cast<uint64_t>(T.Values[draw(Path, "value", T.Values.size())])));
    else
      Value = static_cast<int64_t>(integer(Bytes, T.Size, Path, Length, Style, Recorded));
    memcpy(Bytes, &Value, std::min(T.Size, 8u));
    break;
  }
  case Kind::Float:
    if (Style == 5)
      memset(Bytes, 0xFF, std::min(T.Size, 10u));
    else if (Style)
      floating(T.Size, Bytes, Path);
    if (T.Size <= 8) {
      uint64_t Value = 0;
      memcpy(&Value, Bytes, T.Size);
      Value = leaf(Bytes, T.Size, Path, Recorded, Value);
      memcpy(Bytes, &Value, T.Size);
    }
    break;
  case Kind::Array: {
    const TypeNode &Element = D.type(T.Target);
    if (Element.Size == 1 && T.Count && Element.What != Kind::Bool) {
      if (Style)
        characters(Bytes, T.Count, Path);
    } else if (Element.Size) {
      // All zero, but for a few that can be chosen.
      uint32_t First = std::min(T.Count, holdsPointers(T.Target) ? T.Count : Style == 0 ? 16u : 256u);
      for (uint32_t Index = 0; Index < First; ++Index)
        scalars(T.Target, Bytes + Index * Element.Size, scramble(Path, Index), Length, Style, Recorded && Index < 16);
      if (Style != 0)
        repeat(Bytes, uint64_t(First) * Element.Size, uint64_t(T.Count) * Element.Size);
    }
    break;
  }
  case Kind::Union: {
    if (T.Members.empty())
      break;
    size_t Index = unionMember(T, Bytes, scramble(Path, 999));
    if (const Member &M = T.Members[Index]; !M.BitSize && M.Offset + D.type(M.Type).Size <= T.Size)
      scalars(M.Type, Bytes + M.Offset, scramble(Path, 1000 + Index), M.Length, Style, Recorded);
    break;
  }
  case Kind::Structure: {
    std::vector<uint32_t> Around;
    Around.swap(Near);
    for (const Member &M : T.Members)
      if (D.type(M.Type).What == Kind::Pointer && M.Offset + 8 <= T.Size)
        lengthsBehind(Bytes + M.Offset);
    for (size_t Index = 0; Index < T.Members.size(); ++Index) {
      const Member &M = T.Members[Index];
      uint64_t Part = scramble(Path, 1000 + Index);
      if (M.BitSize) {
        const size_t Known = Leaves.size();
        uint64_t Value = integer(Bytes + M.BitOffset / 8, 4, Part, M.Length, Style, Recorded);
        if (Leaves.size() > Known)
          Leaves.back().Alone = false;
        for (uint32_t Bit = 0; Bit < M.BitSize; ++Bit) {
          uint32_t At = M.BitOffset + Bit;
          if (At / 8 < T.Size && (Value >> (Bit % 64) & 1))
            Bytes[At / 8] = static_cast<uint8_t>(Bytes[At / 8] | 1u << At % 8);
        }
      } else if (M.Offset + D.type(M.Type).Size <= T.Size) {
        scalars(M.Type, Bytes + M.Offset, Part, M.Length, Style, Recorded);
      }
    }
    Near.swap(Around);
    break;
  }
  default:
    break;
  }
  if (Leaves.size() == Before + 1 && T.What != Kind::Structure && T.What != Kind::Union && T.What != Kind::Array)
    Leaves.back().Type = Type;
}

} // namespace cct
