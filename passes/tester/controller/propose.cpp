// Which input is tried next: one that waits, a change of one that was kept, or one that is new altogether.
#include "search.h"

#include <algorithm>

namespace cct {

static constexpr uint32_t Large = 64u << 10; // bytes of memory

bool Search::isCallable(const Seeds &Candidate) const {
  return std::all_of(Candidate.Sequence.begin(), Candidate.Sequence.end(),
                     [&](const CallSeed &C) { return Inputs.isCallable(C.Function); });
}

Seeds Search::fresh(uint32_t Function) {
  Seeds Result;
  Result.Seed = random(~0ull);
  // The function itself, with others of the unit before or behind it.
  uint64_t Shape = random(8);
  uint32_t Count = Shape < 4 ? 1 : Shape < 6 ? 2 : 3;
  uint32_t Position = static_cast<uint32_t>(random(Count));
  for (uint32_t Index = 0; Index < Count; ++Index)
    Result.Sequence.push_back({Function, random(~0ull)});
  for (uint32_t Index = 0; Index < Count; ++Index)
    if (Index != Position)
      changeSequence(Function, Result);
  // What a function of the unit makes is a better beginning than what is made up.
  if (const std::vector<uint32_t> &Creators = Inputs.creators(Function); !Creators.empty() && random(2))
    if (uint32_t Creator = Creators[random(Creators.size())]; Inputs.isCallable(Creator))
      Result.Sequence.insert(Result.Sequence.begin(), {Creator, random(~0ull)});
  return Result;
}

// Another function in place of one, one more call, or one less; the function under test stays.
void Search::changeSequence(uint32_t Function, Seeds &Changed) {
  auto other = [&] {
    const std::vector<uint32_t> &Related = Inputs.related(Function);
    uint32_t Chosen = !Related.empty() && random(4) != 3 ? Related[random(Related.size())]
                      : random(2)                       ? Function
                                                        : static_cast<uint32_t>(random(D.Functions.size()));
    return Inputs.isCallable(Chosen) ? Chosen : Function;
  };
  std::vector<CallSeed> &Calls = Changed.Sequence;
  uint64_t At = random(Calls.size());
  bool Only = Calls[At].Function == Function &&
              std::count_if(Calls.begin(), Calls.end(), [&](const CallSeed &C) { return C.Function == Function; }) == 1;
  switch (random(3)) {
  case 0:
    if (!Only)
      Calls[At].Function = other();
    break;
  case 1:
    if (Calls.size() < MaxCalls)
      Calls.insert(Calls.begin() + static_cast<std::ptrdiff_t>(random(Calls.size() + 1)), {other(), random(~0ull)});
    break;
  default:
    if (Calls.size() > 1 && !Only)
      Calls.erase(Calls.begin() + static_cast<std::ptrdiff_t>(At));
  }
}

void Search::changeChoices(Seeds &Changed) {
  Inputs.build(Changed); // which choices there are
  if (const std::vector<Choice> &Made = Inputs.choices(); !Made.empty())
    for (uint64_t Changes = 1ull << random(4); Changes-- > 0;) {
      const Choice &C = Made[random(Made.size())];
      Changed.Fixed[C.Path] = random(C.Bound);
    }
}

Seeds Search::next(uint32_t Function) {
  if (Waiting &Queue = Next[Function]; !Queue.empty() && random(3) != 0)
    return Queue.take(below());
  if (Waiting &Queue = NextOfFailed[Function]; !Queue.empty() && mayLearn(Function))
    return Queue.take(below());
  uint64_t Way = random(100);
  const std::vector<uint32_t> &Own = Containing[Function];
  if (Way < 60 && !Own.empty()) {
    // The newest reach farthest. With the smaller of two, a change is more likely to be one that matters.
    auto chosen = [&]() -> Entry & {
      uint64_t Back = random(2) ? random(Own.size()) : random(std::min<size_t>(Own.size(), 16));
      return Corpus[Own[Own.size() - 1 - Back]];
    };
    auto better = [&](Entry &A, Entry &B) -> Entry & {
      inspect(Function, A);
      inspect(Function, B);
      if (A.Mistyped != B.Mistyped)
        return A.Mistyped ? B : A;
      if (std::max(A.Bytes, B.Bytes) > Large + 2 * std::min(A.Bytes, B.Bytes) && random(4)) // several small ones take the time of a large one
        return B.Bytes < A.Bytes ? B : A;
      return random(3) && B.Read.size() < A.Read.size() ? B : A;
    };
    Entry &Parent = better(better(chosen(), chosen()), chosen());
    Seeds Result = Parent.Input;
    if (random(2) && stepRead(Result, Parent))
      return Result;
    uint64_t How = random(16);
    if (How < 2)
      changeSequence(Function, Result);
    if (How == 2)
      Result.Seed = random(~0ull);
    else if (How < 7 || Parent.Read.empty())
      changeChoices(Result);
    else
      changeRead(Function, Result, Parent);
    return Result;
  }
  const std::vector<uint32_t> &Related = Inputs.related(Function);
  if (Way < 85 && !Related.empty()) {
    // What another function was given, and left behind, is given to this one.
    const std::vector<uint32_t> &Others = Containing[Related[random(Related.size())]];
    if (!Others.empty()) {
      const Entry &Parent = Corpus[Others[random(Others.size())]];
      Seeds Result = Parent.Input;
      if (!isCallable(Result))
        return fresh(Function);
      if (Result.Sequence.size() == MaxCalls)
        Result.Sequence.pop_back();
      Result.Sequence.push_back({Function, random(~0ull)});
      if (random(2))
        changeChoices(Result);
      return Result;
    }
  }
  return fresh(Function);
}

} // namespace cct
