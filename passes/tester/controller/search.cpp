#include "search.h"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace cct {
namespace {

constexpr uint32_t ReferenceTimeoutMs = 20;
constexpr uint32_t CandidateTimeoutMs = 1000;
constexpr uint32_t LongTimeoutMs = 4000;
constexpr uint32_t SanitizedTimeoutMs = 1000;
constexpr double MinimisationSeconds = 5;
constexpr size_t LargestCorpus = 1000;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

uint8_t bucket(uint8_t Count) {
  return Count == 0 ? 0 : Count == 1 ? 1 : Count == 2 ? 2 : Count == 3 ? 4 : Count < 8 ? 8 : Count < 16 ? 16 : Count < 32 ? 32 : Count < 128 ? 64 : 128;
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

uint64_t Search::random(uint64_t Bound) {
  RandomState = scramble(RandomState, 0x5EED);
  return RandomState % Bound;
}

bool Search::newEdges(std::vector<uint8_t> &Seen, bool Record) {
  const OutputHeader &Output = All.Reference->output();
  const uint8_t *Counters = All.Reference->counters();
  bool New = false;
  for (uint32_t Index = 0; Index < Output.CounterCount; ++Index)
    if (Counters[Index])
      if (uint8_t Bit = bucket(Counters[Index]); !(Seen[Index] & Bit)) {
        New = true;
        if (!Record)
          return true;
        Seen[Index] |= Bit;
      }
  return New;
}

// Whether the input in the shared memory is free of undefined behaviour, as far as sanitizers see.
bool Search::isDefined() {
  ++S->Sanitized;
  All.Sanitized->run(SanitizedTimeoutMs, true);
  bool Clean = saysSomething(All.Sanitized->output()) && All.Sanitized->output().Outcome == All.Reference->output().Outcome;
  if (!Clean)
    ++S->Undefined;

  return Clean;
}

Seeds Search::next() {
  Seeds Result;
  if (Corpus.empty() || random(10) < 3) {
    Result.Seed = random(~0ull);
    return Result;
  }
  const Entry &Parent = Corpus[random(2) ? random(Corpus.size()) : Corpus.size() - 1 - random(std::min<size_t>(Corpus.size(), 16))];
  Result = Parent.Input;
  if (Parent.Made.empty())
    return Result;
  for (uint64_t Changes = 1ull << random(4); Changes-- > 0;) {
    const Choice &C = Parent.Made[random(Parent.Made.size())];
    Result.Fixed[C.Path] = random(C.Bound);
  }
  return Result;
}

// The input is in the shared memory. Every variant starts afresh, and whatever else could explain a difference is asked.
bool Search::refutes() {
  All.Reference->run(ReferenceTimeoutMs, true);
  if (!saysSomething(All.Reference->output()))
    return false;
  OutputHeader First = All.Reference->output();
  uint32_t Limit = First.Nanoseconds < uint64_t(CandidateTimeoutMs) * 1000000 / 50 ? CandidateTimeoutMs : LongTimeoutMs;
  All.Candidate->run(Limit, true);
  if (All.Candidate->output().Outcome == OutcomeTimeout) {
    if (First.Nanoseconds > uint64_t(LongTimeoutMs) * 1000000 / 50)
      return false;
    All.Candidate->run(LongTimeoutMs, true);
  }
  OutputHeader Other = All.Candidate->output();
  if (same(First, Other) || Other.Outcome == OutcomeLimit || Other.Outcome == OutcomeForbidden)
    return false;
  All.Moved->run(Limit, true);
  if (!same(Other, All.Moved->output())) {
    ++S->Unstable;
    return false;
  }
  if (!isDefined()) {
    ++S->Explained;
    return false;
  }
  All.Reference->run(ReferenceTimeoutMs, true);
  if (!same(First, All.Reference->output())) {
    ++S->Unstable;
    return false;
  }
  for (Variant *Built : {All.Zero.get(), All.Pattern.get()}) {
    Built->run(CandidateTimeoutMs, true);
    if (!same(First, Built->output())) {
      ++S->Unstable;
      return false;
    }
  }
  if (All.Typed) {
    All.Typed->run(SanitizedTimeoutMs, true);
    if (!saysSomething(All.Typed->output())) {
      ++S->Explained;
      return false;
    }
  }
  return true;
}

bool Search::refutes(const Seeds &Candidate) {
  Inputs.build(Target, Candidate);
  return refutes();
}

Seeds Search::withFewCalls(Seeds Current) {
  Inputs.build(Target, Current);
  uint32_t Count = static_cast<uint32_t>(Inputs.calls().size());
  Current.Keep = (1u << Count) - 1;
  for (uint32_t Alone = 0; Count > 1 && Alone < Count; ++Alone) {
    Seeds Trial = Current;
    Trial.Keep = 1u << Alone;
    if (refutes(Trial))
      return Trial;
  }
  for (uint32_t Dropped = 0; Count > 2 && Dropped < Count; ++Dropped) {
    Seeds Trial = Current;
    Trial.Keep &= ~(1u << Dropped);
    if (refutes(Trial))
      return Trial;
  }
  return Current;
}

// Choices become 0 where the difference stays: many at once first, then one at a time. Those that come first (how many calls,
// which sizes) have the largest effect.
Seeds Search::minimised(Seeds Current) {
  double Deadline = now() + MinimisationSeconds;
  Seeds Plain = Current;
  Plain.Plain = true;
  if (refutes(Plain))
    Current = std::move(Plain);
  Inputs.build(Target, Current);
  for (size_t Chunk = Inputs.choices().size(); Chunk > 0; Chunk /= 2) {
    for (size_t Begin = 0;; Begin += Chunk) {
      Inputs.build(Target, Current); // choices come and go with those before them
      const std::vector<Choice> Made = Inputs.choices();
      if (Begin >= Made.size())
        break;
      if (now() > Deadline)
        return Current;
      Seeds Trial = Current;
      bool Changed = false;
      for (size_t Index = Begin; Index < std::min(Made.size(), Begin + Chunk); ++Index) {
        auto Found = Current.Fixed.find(Made[Index].Path);
        uint64_t Value = Found != Current.Fixed.end() ? Found->second % Made[Index].Bound : scramble(Current.Seed, Made[Index].Path) % Made[Index].Bound;
        Changed |= Value != 0;
        Trial.Fixed[Made[Index].Path] = 0;
      }
      if (Changed && refutes(Trial))
        Current = std::move(Trial);
    }
  }
  return Current;
}

Finding Search::test(uint32_t Function, Statistics &Result, std::vector<Finding> &Others) {
  Target = Function;
  S = &Result;
  Corpus.clear();
  const OutputHeader &Reference = All.Reference->output();
  Clean.assign(Reference.CounterCount, 0);
  Dirty.assign(Reference.CounterCount, 0);
  RandomState = scramble(O.Seed, Function + 1);
  double Begin = now();
  Finding Refutation;
  while (Result.Executions < O.MaxExecutions && now() - Begin < O.Seconds) {
    Seeds Candidate = next();
    Inputs.build(Function, Candidate);
    ++Result.Executions;
    All.Reference->run(ReferenceTimeoutMs, false);
    if (!saysSomething(Reference)) {
      ++(Reference.Outcome == OutcomeTimeout ? Result.TimedOut
         : Reference.Outcome == OutcomeSignal || Reference.Outcome == OutcomeNone ? Result.Crashed : Result.Limited);
      continue;
    }
    OutputHeader Expected = Reference;
    bool Known = false;
    if (newEdges(Clean, false) && (newEdges(Dirty, true) || random(8) == 0)) {
      if (!isDefined())
        continue;
      newEdges(Clean, true);
      Known = true;
      if (Corpus.size() < LargestCorpus)
        Corpus.push_back({Candidate, Inputs.choices()});
    } else if (random(64) == 0) {
      Known = isDefined();
      if (!Known)
        continue;
    }
    ++Result.Compared;
    All.Candidate->run(CandidateTimeoutMs, false);
    const OutputHeader &Other = All.Candidate->output();
    if (same(Expected, Other))
      continue;
    if (Other.Outcome == OutcomeLimit || Other.Outcome == OutcomeForbidden) {
      ++Result.CandidateSilent;
      continue;
    }
    if (!refutes())
      continue;
    Finding Found;
    Found.Refuted = true;
    Found.Input = minimised(withFewCalls(Candidate));
    Inputs.build(Function, Found.Input);
    // It is the function's own fault unless the difference is there without it.
    Found.Function = Inputs.calls().back().Function;
    for (const BuiltCall &Call : Inputs.calls())
      if (Call.Function == Function)
        Found.Function = Function;
    Found.Report = explainDifference(D, Input, All, Inputs);
    if (Found.Function == Function) {
      Refutation = std::move(Found);
      break;
    }
    Inputs.exclude(Found.Function);
    Others.push_back(std::move(Found));
    Corpus.clear();
  }
  Result.Seconds = now() - Begin;
  Result.Corpus = static_cast<uint32_t>(Corpus.size());
  const uint16_t *Owners = All.Reference->owners();
  for (uint32_t Index = 0; Index < Reference.CounterCount; ++Index) {
    bool Own = Owners[Index] == Function;
    Result.Edges += Own;
    Result.EdgesCovered += Own && Clean[Index];
    Result.UnitEdgesCovered += Clean[Index] != 0;
  }
  return Refutation;
}

} // namespace cct
