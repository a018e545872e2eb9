// Which of the many numbers and pointers of an input the code looks at, and what it wants them to be: loads and comparisons of the
// traced variant tell. What nobody reads is not worth changing.
#include "edges.h"
#include "search.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace cct {
namespace {

constexpr uint32_t TracedTimeoutMs = 1000, TypedTimeoutMs = 400;
constexpr uint32_t MostTraced = 5'000'000, MostOfFailed = 500'000; // what goes round and round has been everywhere by then
constexpr double ShareOfLearning = 0.15, ShareBeforeHalf = 0.4; // of effort: a function counts as tested where half of it is reached
constexpr uint64_t FewEndless = 8;
constexpr size_t MostForSite = 24;
constexpr size_t MostRead = 2000;
constexpr size_t MostCasts = 4;
constexpr uint32_t BytesForCall = 256;
constexpr size_t MostClobbers = 4, MostRedirections = 4;
constexpr uint32_t MostTries = 32;
constexpr uint64_t OneInClobbers = 6; // changes

} // namespace

void Search::trace(uint32_t Function, Entry &Looked, uint32_t Most) {
  Input.header().Trace = Most;
  Input.header().Counted = Function + 1;
  All.Traced->run(TracedTimeoutMs, false);
  Input.header().Trace = 0;
  for (const Leaf &L : Inputs.leaves()) {
    if (Looked.Read.size() == MostRead)
      break;
    if (L.Where == NotInArena || All.Traced->loaded(L.Where, L.Size))
      Looked.Read.push_back(L);
  }
  auto isOwn = [&](const Leaf &L) { return L.Where == NotInArena || All.Traced->loaded(L.Where, L.Size, true); };
  Looked.ReadByTested = static_cast<size_t>(std::stable_partition(Looked.Read.begin(), Looked.Read.end(), isOwn) - Looked.Read.begin());
}

// What the function under test reads itself matters more than what those read that are called before it.
const Leaf &Search::readBy(const Entry &Parent) {
  return Parent.Read[random(Parent.ReadByTested && random(3) ? Parent.ReadByTested : Parent.Read.size())];
}

bool Search::mayLearn(uint32_t Function) {
  return static_cast<double>(LearningEffort) <= (seenBy(Function).ReachesHalf ? ShareOfLearning : ShareBeforeHalf) * static_cast<double>(effort() - EffortBefore);
}

void Search::learnFrom(uint32_t Function, const Seeds &Failed) {
  // How far one came that did not end in time is chance: those are counted.
  const bool Endless = All.Reference->output().Outcome == OutcomeTimeout;
  const bool Wanted = Endless ? S->TimedOut <= FewEndless || S->TimedOut % FewEndless == 0 : newEdges(*All.Reference, seenBy(Function).Failed, false);
  if (!Wanted || !mayLearn(Function))
    return;
  if (!Endless)
    newEdges(*All.Reference, seenBy(Function).Failed, true);
  uint64_t Start = effort();
  Entry Looked;
  Looked.Input = Failed;
  Looked.Input.OfFailed = true;
  Inputs.build(Failed);
  trace(Function, Looked, MostOfFailed);
  queueCompared(Function, Looked);
  if (!Failed.OfFailed) // of those everything counts
    LearningEffort += effort() - Start;
}

void Search::inspect(uint32_t Function, Entry &Kept) {
  if (Kept.Inspected)
    return;
  Kept.Inspected = true;
  Inputs.build(Kept.Input);
  All.Typed->run(TypedTimeoutMs, false);
  Kept.Mistyped = !saysSomething(All.Typed->output()) && All.Typed->output().Outcome != OutcomeTimeout;
  trace(Function, Kept, MostTraced);
  // What is allocated is filled, and looked at; each call of another unit takes the time of some memory.
  Kept.Bytes = Input.header().ArenaUsed;
  Kept.ClobberingCalls = All.Traced->output().ClobberingCalls;
  if (const OutputHeader &Traced = All.Traced->output(); saysSomething(Traced))
    Kept.Bytes += Traced.HeapUsed + Traced.TraceEvents * BytesForCall;
  std::set<uint32_t> Lengths(Inputs.lengths().begin(), Inputs.lengths().end());
  Kept.Lengths.assign(Lengths.begin(), Lengths.end());
  queueCompared(Function, Kept);
}

std::vector<Seeds> Search::likeCompared(const Entry &Kept, const Leaf &L, const Compared &Pair, size_t Most) {
  std::vector<Seeds> Result;
  // The number itself always, since each input is looked at only once; now and then one more or one less, too.
  auto forEachWanted = [&](auto What) {
    What(Pair.Right);
    if (random(5) < 2)
      What(random(2) ? Pair.Right + 1 : Pair.Right - 1);
  };
  if (L.What == Leaf::Kind::Number) {
    if (L.Value == (L.Size < 8 ? Pair.Left & ((1ull << 8 * L.Size) - 1) : Pair.Left))
      forEachWanted([&](uint64_t Number) { Result.emplace_back(Kept.Input).Fixed[L.Path] = Number; });
  } else if (L.What == Leaf::Kind::Bytes) { // numbers that are read from bytes, in either order; single bytes where they were read
    uint32_t Width = Pair.Left > 0xFFFFFFFF ? 8 : Pair.Left > 0xFFFF ? 4 : Pair.Left > 0xFF ? 2 : 1;
    if (L.Where == NotInArena || (Width == 1 && random(4) != 0))
      return Result;
    const uint8_t *Bytes = Input.arena() + L.Where;
    for (uint32_t At = 0; At + Width <= std::min(L.Size, 256u) && Result.size() < Most; ++At)
      for (int Order = 0; Order < (Width > 1 ? 2 : 1); ++Order) {
        auto byte = [&](uint64_t Number, uint32_t Byte) { return static_cast<uint8_t>(Number >> 8 * (Order ? Width - 1 - Byte : Byte)); };
        uint32_t Same = 0;
        while (Same < Width && Bytes[At + Same] == byte(Pair.Left, Same))
          ++Same;
        if (Same < Width || !All.Traced->loaded(L.Where + At, Width))
          continue;
        forEachWanted([&](uint64_t Number) {
          Seeds &Next = Result.emplace_back(Kept.Input);
          for (uint32_t Byte = 0; Byte < Width; ++Byte)
            Next.Bytes.push_back({L.Path, At + Byte, byte(Number, Byte)});
        });
      }
  }
  return Result;
}

void Search::queueCompared(uint32_t Function, const Entry &Kept) {
  Waiting &Queue = Kept.Input.OfFailed ? NextOfFailed[Function] : Next[Function];
  std::unordered_map<uint64_t, size_t> Added; // by site
  std::set<std::array<uint64_t, 3>> Seen;
  for (uint32_t Index = 0; Index < All.Traced->output().ComparedCount && !Kept.Read.empty(); ++Index) {
    Compared Pair = All.Traced->compared()[Index];
    if (!Seen.insert({Pair.Site, Pair.Left, Pair.Right}).second)
      continue;
    size_t &AtSite = Added[Pair.Site];
    for (int Side = 0; Side < 2; ++Side, std::swap(Pair.Left, Pair.Right)) {
      const size_t First = random(Kept.Read.size()); // there may be more that are equal than are tried
      for (size_t Number = 0; Number < Kept.Read.size() && AtSite < MostForSite; ++Number)
        for (Seeds &Input : likeCompared(Kept, Kept.Read[(First + Number) % Kept.Read.size()], Pair, MostForSite - AtSite)) {
          Queue.add(Pair.Site, std::move(Input), below());
          ++AtSite;
        }
    }
  }
}

void Search::recast(uint32_t Function, const Seeds &Candidate) {
  auto Casts = Inputs.castsBefore(All.Sanitized->output().FaultAddress);
  while (Casts.size() > MostCasts)
    Casts.erase(Casts.begin() + static_cast<std::ptrdiff_t>(random(Casts.size())));
  for (const auto &[Cast, To] : Casts) {
    Seeds Larger = Candidate;
    Larger.Fixed[scramble(Cast, ChoiceName("cast").Hash)] = 1;
    Larger.Fixed[scramble(Cast, ChoiceName("to").Hash)] = To;
    (Candidate.OfFailed ? NextOfFailed : Next)[Function].add(0, std::move(Larger), below());
  }
}

bool Search::stepRead(Seeds &Changed, Entry &Parent) {
  constexpr size_t Ways = 12;
  for (; Parent.Stepped < Parent.Read.size() * Ways; ++Parent.Stepped) {
    // Like this all leaves have had the first change before one has the second.
    const Leaf &L = Parent.Read[Parent.Stepped % Parent.Read.size()];
    size_t Way = Parent.Stepped / Parent.Read.size();
    uint64_t Bits = 8ull * std::min(L.Size, 8u);
    if (L.What == Leaf::Kind::Number) {
      // The bits that are lost when a number is taken for a narrower one, or for one with a sign, come first.
      const uint64_t Values[Ways] = {L.Value ^ 1ull << (Bits - 1), L.Value + 1, L.Value - 1, L.Value ^ 1ull << Bits / 2, L.Value ^ 1ull << (Bits > 8 ? 8 : 4), ~0ull,
                                     0, 0 - L.Value, L.Value ^ 1, L.Value * 2 + 1, (1ull << (Bits - 1)) - 1, L.Value ^ 0x55};
      Changed.Fixed[L.Path] = Values[Way];
    } else if (L.What == Leaf::Kind::Pointer) {
      auto choice = [&](ChoiceName Name) -> uint64_t & { return Changed.Fixed[scramble(L.Path, Name.Hash)]; };
      if ((Way == 0 || Way > 3) && !redirect(Changed, Parent, L))
        continue;
      choice("null") = Way == 1; // there is none
      if (Way == 2 || Way == 3)
        choice("share") = Way == 2 ? 0 : 31; // the same as another, or not
    } else if (L.What == Leaf::Kind::Bytes) {
      uint32_t At = static_cast<uint32_t>(random(std::min(L.Size, 64u)));
      Changed.Bytes.push_back({L.Path, At, static_cast<uint8_t>(Way < 4 ? 0x80 + random(128) : random(128))});
    } else {
      continue;
    }
    ++Parent.Stepped;
    return true;
  }
  return false;
}

void Search::addClobber(Seeds &Changed, const Entry &Parent) {
  const Leaf &L = readBy(Parent);
  if (L.Where == NotInArena)
    return;
  Clobber C{L.Path, static_cast<uint32_t>(random(random(2) ? std::min(Parent.ClobberingCalls, 4u) : Parent.ClobberingCalls)), 0, 0};
  switch (L.What) {
  case Leaf::Kind::Number:
    C.Value = random(2) ? L.Value + random(9) - 4 : random(2) ? random(17) : L.Value ^ random(~0ull) >> random(64);
    break;
  case Leaf::Kind::Bytes:
    C.Index = static_cast<uint32_t>(random(std::min(L.Size, 64u)));
    C.Value = random(256);
    break;
  case Leaf::Kind::Pointer: {
    std::vector<uint64_t> Alike; // what lies behind is of the same type
    for (const Leaf &Other : Parent.Read)
      if (Other.What == Leaf::Kind::Pointer && Other.Type == L.Type)
        Alike.push_back(Other.Path);
    C.Value = random(8) ? Alike[random(Alike.size())] : 0;
    C.Index = static_cast<uint32_t>(C.Value == L.Path ? 1 + random(2) : random(3));
    Changed.Fixed[scramble(L.Path, ChoiceName("null").Hash)] = 0; // what is changed should be there
  }
  }
  Changed.Clobbers.push_back(C);
  if (Changed.Clobbers.size() > MostClobbers)
    Changed.Clobbers.erase(Changed.Clobbers.begin());
}

bool Search::redirect(Seeds &Changed, const Entry &Parent, const Leaf &Pointer) {
  for (uint32_t Tries = 0; Pointer.Where != NotInArena && !D.Cxx && Tries < MostTries; ++Tries)
    if (const Leaf &To = readBy(Parent); Inputs.mayLeadTo(Pointer.Type, To)) {
      if (Changed.Redirections.size() == MostRedirections)
        Changed.Redirections.erase(Changed.Redirections.begin());
      Changed.Redirections.push_back({Pointer.Path, To.Path, static_cast<uint32_t>(random(4))});
      return true;
    }
  return false;
}

void Search::changeRead(uint32_t Function, Seeds &Changed, const Entry &Parent) {
  const std::vector<uint64_t> &Constants = D.Functions[Function].Constants;
  auto number = [&](const Leaf &L) -> uint64_t {
    uint64_t Bits = 8ull * std::min(L.Size, 8u);
    switch (random(9)) {
    case 0:
      if (!Constants.empty())
        return Constants[random(Constants.size())] + random(3) - 1;
      return random(17);
    case 1: {
      const uint64_t Boundaries[] = {0, 1, ~0ull, 1ull << (Bits - 1), (1ull << (Bits - 1)) - 1, 127, 128, 255, 256, 32767, 32768, 65535, 65536,
                                     0x7FFFFFFF, 0x80000000ull, 0xFFFFFFFF};
      return Boundaries[random(std::size(Boundaries))];
    }
    case 2:
      return random(17);
    case 3:
      return L.Value + random(9) - 4;
    case 4: { // equal to something else, or nearly
      const Leaf &Other = Parent.Read[random(Parent.Read.size())];
      return Other.What == Leaf::Kind::Number ? Other.Value + random(3) - 1 : random(256);
    }
    case 5:
      return L.Value ^ 1ull << random(Bits);
    case 6:
      return 0 - random(40);
    case 7:
      return Parent.Lengths.empty() ? random(64) : Parent.Lengths[random(Parent.Lengths.size())] - random(2);
    default:
      return random(~0ull) >> random(64);
    }
  };
  for (uint64_t Changes = 1ull << random(3); Changes-- > 0;) {
    if (Parent.ClobberingCalls && random(OneInClobbers) == 0) {
      addClobber(Changed, Parent);
      continue;
    }
    const Leaf &L = readBy(Parent);
    switch (L.What) {
    case Leaf::Kind::Number:
      Changed.Fixed[L.Path] = number(L);
      break;
    case Leaf::Kind::Pointer: {
      if (random(3) == 0 && redirect(Changed, Parent, L))
        break;
      static const ChoiceName Names[] = {"null", "share", "which", "count", "cast", "to", "inside", "element", "within", "of", "part"};
      Changed.Fixed[scramble(L.Path, Names[random(std::size(Names))].Hash)] = random(4) ? random(12) : random(64);
      break;
    }
    case Leaf::Kind::Bytes:
      for (uint64_t Count = 1 + random(4); Count-- > 0;)
        Changed.Bytes.push_back({L.Path, static_cast<uint32_t>(random(std::min(L.Size, random(2) ? 16u : L.Size))),
                                 static_cast<uint8_t>(!Constants.empty() && random(3) == 0 ? Constants[random(Constants.size())] : random(256))});
      if (Changed.Bytes.size() > 64)
        Changed.Bytes.erase(Changed.Bytes.begin(), Changed.Bytes.end() - 64);
    }
  }
}

} // namespace cct
