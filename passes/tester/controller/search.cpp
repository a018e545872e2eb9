#include "search.h"

#include "clock.h"
#include "edges.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>
#include <tuple>

namespace cct {
namespace {

constexpr uint32_t ReferenceTimeoutMs = 8, ShortTimeoutMs = 2;
constexpr uint64_t FewEndless = 16, OneInMany = 200, FullTime = 8;
constexpr uint32_t CandidateTimeoutMs = 400;
constexpr uint32_t SanitizedTimeoutMs = 400;
constexpr size_t LargestCorpus = 20000;
constexpr size_t FewEntries = 8; // so many are kept for each function, whether they reach anything new or not
constexpr double ExplorationSlice = 0.1; // of processor time
constexpr uint32_t RoundsWithout = 4;
constexpr double LongestExploration = 4; // on the clock, in terms of the processor time that it may take

// Whether an edge's owner is a local function that this one calls.
bool isLocal(const Description &D, uint32_t Function, uint32_t Owner) {
  const std::vector<uint32_t> &Locals = D.Functions[Function].Locals;
  return Owner >= D.Functions.size() && std::binary_search(Locals.begin(), Locals.end(), Owner - D.Functions.size());
}

std::array<const Variant *, 9> everyone(const Variants &All) {
  return {All.Reference.get(), All.Guide.get(), All.Traced.get(), All.Sanitized.get(), All.Zero.get(),
          All.Pattern.get(), All.Typed.get(), All.Candidate.get(), All.Moved.get()};
}

} // namespace

Search::Search(const Description &D, SharedInput &Input, Variants &All, Generator &Inputs, const Options &O)
    : D(D), Input(Input), All(All), Inputs(Inputs), O(O), Containing(D.Functions.size()), Next(D.Functions.size()), NextOfFailed(D.Functions.size()),
      SeenBy(D.Functions.size()) {}

uint64_t Search::random(uint64_t Bound) {
  RandomState = scramble(RandomState, 0x5EED);
  return RandomState % Bound;
}

Search::Seen &Search::seenBy(uint32_t Function) {
  Seen &Result = SeenBy[Function];
  if (Result.Clean.empty()) {
    Result.Clean.assign(All.Reference->output().CounterCount, 0);
    Result.Dirty = Result.Failed = Result.Clean;
    Result.GuideClean.assign(All.Guide->output().CounterCount, 0);
    Result.GuideDirty = Result.GuideClean;
  }
  return Result;
}

bool Search::isNew(uint32_t Function) {
  Seen &Known = seenBy(Function);
  bool New = newEdges(*All.Reference, Known.Clean, false) && (newEdges(*All.Reference, Known.Dirty, true) || random(8) == 0);
  All.Guide->run(timeoutMs(ReferenceTimeoutMs), false);
  Guided = saysSomething(All.Guide->output());
  if (Guided && newEdges(*All.Guide, Known.GuideClean, false) && (newEdges(*All.Guide, Known.GuideDirty, true) || random(8) == 0))
    New = true;
  return New;
}

void Search::recordEdges(uint32_t Function) {
  newEdges(*All.Reference, seenBy(Function).Clean, true);
  if (Guided)
    newEdges(*All.Guide, seenBy(Function).GuideClean, true);
  const auto [Edges, Covered] = edgesOf(Function);
  seenBy(Function).ReachesHalf = 2 * Covered >= Edges;
}

void Search::runSanitized(uint32_t TimeoutMs) {
  // What it finds out about arguments changes what stubs do: again, until there is nothing new.
  InputHeader &H = Input.header();
  for (int Attempt = 0; Attempt < 3; ++Attempt) {
    All.Sanitized->run(TimeoutMs, false);
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
}

// Whether the input in the shared memory is free of undefined behaviour, as far as sanitizers see.
bool Search::isDefined() {
  ++S->Sanitized;
  runSanitized(SanitizedTimeoutMs);
  bool Defined = saysSomething(All.Sanitized->output()) && All.Sanitized->output().Outcome == All.Reference->output().Outcome;
  if (!Defined)
    ++S->Undefined;
  return Defined;
}

void Search::keep(const Seeds &Candidate) {
  if (Corpus.size() >= LargestCorpus)
    return;
  uint32_t Index = static_cast<uint32_t>(Corpus.size());
  Corpus.emplace_back().Input = Candidate;
  Corpus.back().Input.OfFailed = false;
  for (const CallSeed &Call : Candidate.Sequence)
    if (std::vector<uint32_t> &Entries = Containing[Call.Function]; Entries.empty() || Entries.back() != Index)
      Entries.push_back(Index);
}

Search::Run Search::tryInput(uint32_t Function, Seeds &Candidate) {
  uint64_t Start = effort();
  Run Done = tryOnce(Function, Candidate);
  if (isTooShort(Done) && grow(Function, Candidate))
    Done = tryOnce(Function, Candidate);
  if (Candidate.OfFailed)
    LearningEffort += effort() - Start;
  return Done;
}

void Search::runReference(uint32_t Function) {
  // Where many inputs do not end, or call others over and over, one in eight is given long: else they take all the time there is.
  Seen &Known = seenBy(Function);
  const bool Often = Known.Endless > FewEndless && Known.Endless * OneInMany > Known.Runs, Short = Often && Known.Runs % FullTime != 0;
  ++Known.Runs;
  ++S->Executions;
  All.Reference->run(timeoutMs(Short ? ShortTimeoutMs : ReferenceTimeoutMs), false);
  if (const uint32_t Outcome = All.Reference->output().Outcome; !Short && (Outcome == OutcomeTimeout || Outcome == OutcomeLimit))
    Known.Endless += Often ? FullTime : 1;
}

Search::Run Search::tryOnce(uint32_t Function, const Seeds &Candidate) {
  Inputs.build(Candidate);
  Input.header().Counted = Function + 1;
  runReference(Function);
  const OutputHeader &Reference = All.Reference->output();
  if (!saysSomething(Reference)) {
    S->TimedOut += Reference.Outcome == OutcomeTimeout;
    S->Crashed += Reference.Outcome == OutcomeSignal || Reference.Outcome == OutcomeNone;
    S->Limited += Reference.Outcome == OutcomeLimit || Reference.Outcome == OutcomeForbidden;
    learnFrom(Function, Candidate);
    return Run::Discarded;
  }
  bool Few = Containing[Function].size() < FewEntries;
  if (isNew(Function) || Few) {
    if (!isDefined()) {
      recast(Function, Candidate);
      learnFrom(Function, Candidate);
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

double Search::spent() const {
  timespec Own{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &Own);
  uint64_t Nanoseconds = static_cast<uint64_t>(Own.tv_sec) * 1000000000u + static_cast<uint64_t>(Own.tv_nsec);
  for (const Variant *V : everyone(All))
    Nanoseconds += V ? V->output().Spent : 0;
  return static_cast<double>(Nanoseconds) / 1e9;
}

uint64_t Search::effort() const {
  uint64_t Result = 0;
  for (const Variant *V : everyone(All))
    Result += V ? V->effort() : 0;
  return Result;
}

std::pair<uint32_t, uint32_t> Search::edgesOf(uint32_t Function) {
  const uint16_t *Owners = All.Reference->owners();
  const std::vector<uint8_t> &Clean = seenBy(Function).Clean;
  std::pair<uint32_t, uint32_t> Result;
  for (uint32_t Index = 0; Index < Clean.size(); ++Index)
    if (Owners[Index] == Function || isLocal(D, Function, Owners[Index])) {
      ++Result.first;
      Result.second += Clean[Index] != 0;
    }
  return Result;
}

// What is collected is kept for all tests that come: it must not depend on who else wanted the machine just then.
void Search::explore() {
  Statistics Ignored;
  S = &Ignored;
  RandomState = scramble(O.Seed, 0);
  EffortBefore = effort();
  double End = spent() + O.Seconds, ClockEnd = now() + LongestExploration * O.Seconds;
  auto goesOn = [&] { return spent() < End && now() < ClockEnd && Ignored.Executions < O.MaxExecutions; };
  // Round and round: what one function sets up, another one needs. Where there is nothing left to reach it is seldom done.
  for (uint32_t Round = 0; goesOn(); ++Round)
    for (uint32_t Function = 0; Function < D.Functions.size() && goesOn(); ++Function) {
      if (!Inputs.isCallable(Function))
        continue;
      if (auto [Edges, Covered] = edgesOf(Function); Edges == Covered && Round % RoundsWithout != 0)
        continue;
      double SliceEnd = spent() + ExplorationSlice;
      for (uint32_t Tries = 0; Tries < 400 && spent() < SliceEnd && now() < ClockEnd; ++Tries)
        if (Seeds Candidate = next(Function); true)
          tryInput(Function, Candidate);
    }
}

bool Search::differs(const OutputHeader &Expected, const Seeds &Candidate) {
  ++S->Compared;
  All.Candidate->run(CandidateTimeoutMs, false);
  const OutputHeader &Other = All.Candidate->output();
  if (!differ(Expected, Other)) {
    S->CandidateSilent += Other.Outcome == OutcomeLimit || Other.Outcome == OutcomeForbidden;
    S->CandidateLimited += Other.Outcome == OutcomeLimit && isDefined() && isStable();
    return false;
  }
  // Nearly all differences that are none come from texts that have no end, or from undefined behaviour. That is asked first: later on
  // every variant starts afresh, which takes a hundred times as long.
  if (!isDefined()) {
    ++S->Explained;
    return false;
  }
  if (Input.header().AnyNotString) {
    All.Reference->run(timeoutMs(ReferenceTimeoutMs), false);
    All.Candidate->run(CandidateTimeoutMs, false);
    if (!differ(All.Reference->output(), All.Candidate->output()))
      return false;
  }
  return refutes(Candidate, true);
}

Finding Search::test(uint32_t Function, Statistics &Result, std::vector<Finding> &Others) {
  S = &Result;
  RandomState = scramble(O.Seed, Function + 1);
  const double Began = now();
  EffortBefore = effort();
  Finding Refutation;
  auto judge = [&](const Seeds &Candidate) {
    OutputHeader Expected = All.Reference->output();
    if (!differs(Expected, Candidate))
      return false;
    Finding Found = finding(Function, Candidate);
    if (!Found.Refuted) {
      ++Result.Unstable;
      return false;
    }
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
  for (size_t Replayed = 0; Replayed < Known.size() && now() - Began < 2 * O.Seconds; ++Replayed) {
    const Seeds Candidate = Corpus[Known[Replayed]].Input;
    if (!isCallable(Candidate))
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
  while (!Refutation.Refuted && Result.Executions < O.MaxExecutions && now() - Began < O.Seconds) {
    Seeds Candidate = next(Function);
    if (!isCallable(Candidate))
      Candidate = fresh(Function);
    Run Done = tryInput(Function, Candidate);
    if ((Done == Run::Kept || Done == Run::Plain) && judge(Candidate))
      break;
  }
  Result.Seconds = now() - Began;
  Result.Corpus = static_cast<uint32_t>(Containing[Function].size());
  std::tie(Result.Edges, Result.EdgesCovered) = edgesOf(Function);
  for (uint8_t Count : seenBy(Function).Clean)
    Result.UnitEdgesCovered += Count != 0;
  release(Function);
  return Refutation;
}

void Search::release(uint32_t Function) {
  Next[Function] = NextOfFailed[Function] = {};
  GrowthEffort = LearningEffort = 0;
  HasGrown = false;
  SeenBy[Function] = {};
  for (uint32_t Index : Containing[Function]) { // others may still change these, and look at them again then
    Entry &Kept = Corpus[Index];
    Kept.Read = {};
    Kept.Lengths = {};
    Kept.Inspected = false;
  }
}

} // namespace cct
