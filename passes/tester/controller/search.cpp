#include "search.h"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace cct {
namespace {

constexpr uint32_t ReferenceTimeoutMs = 8;
constexpr uint32_t CandidateTimeoutMs = 400;
constexpr uint32_t LongTimeoutMs = 2000;
constexpr uint32_t SanitizedTimeoutMs = 400;
constexpr size_t LargestCorpus = 20000;
constexpr size_t FewEntries = 8; // so many are kept for each function, whether they reach anything new or not
constexpr double ExplorationSlice = 0.2;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

uint8_t bucket(uint8_t Count) {
  return Count == 0 ? 0 : Count == 1 ? 1 : Count == 2 ? 2 : Count == 3 ? 4 : Count < 8 ? 8 : Count < 16 ? 16 : Count < 32 ? 32 : Count < 128 ? 64 : 128;
}

bool newEdges(const Variant &V, std::vector<uint8_t> &Seen, bool Record) {
  const uint8_t *Counters = V.counters();
  bool New = false;
  for (size_t Index = 0; Index < Seen.size(); ++Index)
    if (Counters[Index])
      if (uint8_t Bit = bucket(Counters[Index]); !(Seen[Index] & Bit)) {
        New = true;
        if (!Record)
          return true;
        Seen[Index] |= Bit;
      }
  return New;
}

} // namespace

bool saysSomething(const OutputHeader &Output) {
  switch (Output.Outcome) {
  case OutcomeReturned:
  case OutcomeExit:
  case OutcomeAbort:
  case OutcomeException:
  case OutcomeNoReturn:
    return true;
  default:
    return false;
  }
}

bool same(const OutputHeader &A, const OutputHeader &B) {
  return A.Outcome == B.Outcome && A.Detail == B.Detail && A.CallsDone == B.CallsDone && memcmp(A.Hash, B.Hash, sizeof A.Hash) == 0;
}

bool agree(const OutputHeader &A, const OutputHeader &B) { return same(A, B) && A.LiveBlocks == B.LiveBlocks; }

bool differ(const OutputHeader &Reference, const OutputHeader &Candidate) {
  if (Candidate.Outcome == OutcomeForbidden)
    return false;
  if (Candidate.Outcome == OutcomeLimit) // far more calls than there should be; of memory it is not known
    return Candidate.Detail == 1 && Reference.TraceEvents * 4 < Candidate.TraceEvents;
  // An allocation that nobody needs may be left out, but none is forgotten that the reference frees.
  return !same(Reference, Candidate) || Candidate.LiveBlocks > Reference.LiveBlocks;
}

Search::Search(const Description &D, SharedInput &Input, Variants &All, Generator &Inputs, const Options &O)
    : D(D), Input(Input), All(All), Inputs(Inputs), O(O), Containing(D.Functions.size()), Waiting(D.Functions.size()) {
  SeenBy.resize(D.Functions.size());
}

uint64_t Search::random(uint64_t Bound) {
  RandomState = scramble(RandomState, 0x5EED);
  return RandomState % Bound;
}

Search::Seen &Search::seenBy(uint32_t Function) {
  Seen &Result = SeenBy[Function];
  if (Result.Clean.empty()) {
    Result.Clean.assign(All.Reference->output().CounterCount, 0);
    Result.Dirty = Result.Clean;
    Result.GuideClean.assign(All.Guide ? All.Guide->output().CounterCount : 0, 0);
    Result.GuideDirty = Result.GuideClean;
  }
  return Result;
}

bool Search::isNew(uint32_t Function) {
  Seen &Known = seenBy(Function);
  bool New = newEdges(*All.Reference, Known.Clean, false) && (newEdges(*All.Reference, Known.Dirty, true) || random(8) == 0);
  Guided = false;
  if (All.Guide) {
    All.Guide->run(ReferenceTimeoutMs, false);
    Guided = saysSomething(All.Guide->output());
    if (Guided && newEdges(*All.Guide, Known.GuideClean, false) && (newEdges(*All.Guide, Known.GuideDirty, true) || random(8) == 0))
      New = true;
  }
  return New;
}

void Search::recordEdges(uint32_t Function) {
  newEdges(*All.Reference, seenBy(Function).Clean, true);
  if (Guided)
    newEdges(*All.Guide, seenBy(Function).GuideClean, true);
}

// Whether the input in the shared memory is free of undefined behaviour, as far as sanitizers see.
bool Search::isDefined() {
  ++S->Sanitized;
  // What it finds out about arguments changes what stubs do: again, until there is nothing new.
  InputHeader &H = Input.header();
  for (int Attempt = 0; Attempt < 3; ++Attempt) {
    All.Sanitized->run(SanitizedTimeoutMs, false);
    bool New = false;
    if (All.Sanitized->output().AnyNotString) {
      if (!H.AnyNotString)
        memset(H.NotString, 0, MaxStubArguments);
      for (uint32_t Argument = 0; Argument < MaxStubArguments; ++Argument) {
        New |= (All.Sanitized->notString()[Argument] & ~H.NotString[Argument]) != 0;
        H.NotString[Argument] |= All.Sanitized->notString()[Argument];
      }
      H.AnyNotString = 1;
    }
    if (!New)
      break;
  }
  bool Defined = saysSomething(All.Sanitized->output()) && All.Sanitized->output().Outcome == All.Reference->output().Outcome;
  if (!Defined)
    ++S->Undefined;
  return Defined;
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

void Search::changeChoices(Seeds &Changed, const std::vector<Choice> &Made) {
  if (!Made.empty())
    for (uint64_t Changes = 1ull << random(4); Changes-- > 0;) {
      const Choice &C = Made[random(Made.size())];
      Changed.Fixed[C.Path] = random(C.Bound);
    }
}

Seeds Search::next(uint32_t Function) {
  if (std::vector<Seeds> &Queue = Waiting[Function]; !Queue.empty() && random(3) != 0) {
    size_t At = random(Queue.size());
    Seeds Result = std::move(Queue[At]);
    Queue[At] = std::move(Queue.back());
    Queue.pop_back();
    return Result;
  }
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
      return A.Mistyped != B.Mistyped ? (A.Mistyped ? B : A) : random(3) && B.Read.size() < A.Read.size() ? B : A;
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
      changeChoices(Result, Parent.Made);
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
      for (const CallSeed &Call : Result.Sequence)
        if (!Inputs.isCallable(Call.Function))
          return fresh(Function);
      if (Result.Sequence.size() == MaxCalls)
        Result.Sequence.pop_back();
      Result.Sequence.push_back({Function, random(~0ull)});
      if (random(2))
        changeChoices(Result, Parent.Made);
      return Result;
    }
  }
  return fresh(Function);
}

void Search::keep(const Seeds &Candidate) {
  if (Corpus.size() >= LargestCorpus)
    return;
  uint32_t Index = static_cast<uint32_t>(Corpus.size());
  Corpus.push_back({Candidate, Inputs.choices(), {}, {}, false});
  for (const CallSeed &Call : Candidate.Sequence)
    if (std::vector<uint32_t> &Entries = Containing[Call.Function]; Entries.empty() || Entries.back() != Index)
      Entries.push_back(Index);
}

Search::Run Search::tryInput(uint32_t Function, const Seeds &Candidate) {
  Inputs.build(Candidate);
  Input.header().Counted = Function + 1;
  ++S->Executions;
  All.Reference->run(ReferenceTimeoutMs, false);
  const OutputHeader &Reference = All.Reference->output();
  if (!saysSomething(Reference)) {
    bool Crashed = Reference.Outcome == OutcomeSignal || Reference.Outcome == OutcomeNone;
    ++(Reference.Outcome == OutcomeTimeout ? S->TimedOut : Crashed ? S->Crashed : S->Limited);
    return Run::Discarded;
  }
  bool Few = Containing[Function].size() < FewEntries;
  if (isNew(Function) || Few) {
    if (!isDefined()) {
      lengthen(Function, Candidate);
      return Run::Undefined;
    }
    if (Input.header().AnyNotString) // what was run before looked at more
      All.Reference->run(CandidateTimeoutMs, false);
    if (!isStable())
      return Run::Undefined;
    recordEdges(Function);
    keep(Candidate);
    return Run::Kept;
  }
  if (random(16) == 0) {
    if (!isDefined())
      return Run::Undefined;
    if (Input.header().AnyNotString)
      All.Reference->run(CandidateTimeoutMs, false);
  }
  return Run::Plain;
}

void Search::explore() {
  Statistics Ignored;
  S = &Ignored;
  RandomState = scramble(O.Seed, 0);
  double End = now() + O.Seconds;
  // Round and round: what one function sets up, another one needs.
  for (uint64_t Round = 0; now() < End && Ignored.Executions < O.MaxExecutions; ++Round)
    for (uint32_t Function = 0; Function < D.Functions.size() && now() < End && Ignored.Executions < O.MaxExecutions; ++Function) {
      if (!Inputs.isCallable(Function))
        continue;
      double SliceEnd = now() + ExplorationSlice;
      for (uint32_t Tries = 0; Tries < 400 && now() < SliceEnd; ++Tries)
        tryInput(Function, next(Function));
    }
}

bool Search::differs(const OutputHeader &Expected) {
  ++S->Compared;
  All.Candidate->run(CandidateTimeoutMs, false);
  const OutputHeader &Other = All.Candidate->output();
  if (!differ(Expected, Other)) {
    S->CandidateSilent += Other.Outcome == OutcomeLimit || Other.Outcome == OutcomeForbidden;
    return false;
  }
  return refutes(true);
}

Finding Search::test(uint32_t Function, Statistics &Result, std::vector<Finding> &Others) {
  S = &Result;
  RandomState = scramble(O.Seed, Function + 1);
  double Begin = now();
  Finding Refutation;
  size_t Replayed = 0;
  auto judge = [&](const Seeds &Candidate) {
    OutputHeader Expected = All.Reference->output();
    if (!differs(Expected))
      return false;
    Finding Found = finding(Function, Candidate);
    if (Found.Function == Function) {
      Refutation = std::move(Found);
      return true;
    }
    Inputs.exclude(Found.Function);
    Others.push_back(std::move(Found));
    return false;
  };
  // First what was collected before: it is known to be defined, and reaches far.
  const std::vector<uint32_t> Known = Containing[Function];
  for (; Replayed < Known.size() && now() - Begin < 2 * O.Seconds; ++Replayed) {
    const Seeds Candidate = Corpus[Known[Replayed]].Input;
    if (std::any_of(Candidate.Sequence.begin(), Candidate.Sequence.end(), [&](const CallSeed &C) { return !Inputs.isCallable(C.Function); }))
      continue;
    Inputs.build(Candidate);
    Input.header().Counted = Function + 1;
    ++Result.Executions;
    All.Reference->run(CandidateTimeoutMs, false);
    if (saysSomething(All.Reference->output())) {
      ++Result.Sanitized; // when it was collected
      isNew(Function);
      recordEdges(Function);
      if (judge(Candidate))
        break;
    }
  }
  while (!Refutation.Refuted && Result.Executions < O.MaxExecutions && now() - Begin < O.Seconds) {
    Seeds Candidate = next(Function);
    if (std::any_of(Candidate.Sequence.begin(), Candidate.Sequence.end(), [&](const CallSeed &C) { return !Inputs.isCallable(C.Function); }))
      Candidate = fresh(Function);
    Run Done = tryInput(Function, Candidate);
    if ((Done == Run::Kept || Done == Run::Plain) && judge(Candidate))
      break;
  }
  Result.Seconds = now() - Begin;
  Result.Corpus = static_cast<uint32_t>(Containing[Function].size());
  const uint16_t *Owners = All.Reference->owners();
  const std::vector<uint8_t> &Clean = seenBy(Function).Clean;
  for (uint32_t Index = 0; Index < Clean.size(); ++Index) {
    bool Own = Owners[Index] == Function;
    Result.Edges += Own;
    Result.EdgesCovered += Own && Clean[Index];
    Result.UnitEdgesCovered += Clean[Index] != 0;
  }
  return Refutation;
}

} // namespace cct
