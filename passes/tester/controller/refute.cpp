// When a difference is a refutation, and the smallest input that shows it.
#include "search.h"

#include "clock.h"

#include <algorithm>
#include <utility>

namespace cct {
namespace {

constexpr uint32_t ReferenceTimeoutMs = 20;
constexpr uint32_t CandidateTimeoutMs = 1000;
// Slower is not wrong: only what takes a hundred times as long as the reference, twice, does not end.
constexpr uint64_t TooSlow = 100;
constexpr uint32_t LeastTimeoutMs = 300, LongestTimeoutMs = 4000;
constexpr double MinimisationSeconds = 3;
constexpr uint32_t Refills = 6;

} // namespace

bool Search::learnUnwritten() {
  bool New = false;
  for (const Variant *Other : {All.Zero.get(), All.Pattern.get()}) {
    uint32_t Count = std::min(All.Reference->output().SeenCount, Other->output().SeenCount);
    for (uint32_t Index = 0; Index < Count; ++Index) {
      const SeenField &A = All.Reference->seen()[Index], &B = Other->seen()[Index];
      if (A.Argument != B.Argument || A.Field != B.Field)
        break;
      if (UnwrittenFields &Known = Input.unwritten()[A.Argument]; A.Hash != B.Hash && !Known.has(A.Field)) {
        Known.add(A.Field);
        New = true;
      }
    }
  }
  return New;
}

bool Search::isStable() {
  for (;;) {
    bool Stable = true;
    for (Variant *Built : {All.Zero.get(), All.Pattern.get()}) {
      Built->run(CandidateTimeoutMs, false);
      Stable = Stable && agree(All.Reference->output(), Built->output());
    }
    if (Stable)
      return saysSomething(All.Reference->output());
    if (!learnUnwritten())
      break;
    All.Reference->run(CandidateTimeoutMs, false); // what was learned is left out now, and the rest may agree
  }
  ++S->Unstable;
  return false;
}

bool Search::staysInside(const Seeds &Candidate) {
  Inputs.build(Candidate, true);
  Input.header().Apart = 1;
  runSanitized(CandidateTimeoutMs);
  const OutputHeader &Found = All.Sanitized->output();
  bool Outside = !saysSomething(Found) && Found.FaultAddress >= ArenaBase && Found.FaultAddress < HeapBase + HeapSize;
  const size_t ObjectsApart = Inputs.objects().size();
  Inputs.build(Candidate);
  return !Outside && Inputs.objects().size() == ObjectsApart; // else it did not fit, and was another input
}

bool Search::differsRefilled(const OutputHeader &Expected) {
  bool Differs = true;
  for (uint32_t Refill = 1; Differs && Refill <= Refills; ++Refill) {
    Input.header().Refill = Refill;
    All.Moved->run(CandidateTimeoutMs, false);
    Differs = differ(Expected, All.Moved->output());
  }
  Input.header().Refill = 0;
  return Differs;
}

bool Search::requestsAlike() {
  uint32_t Denied = std::exchange(Input.header().Denied, 0);
  if (!Denied)
    return true;
  All.Reference->run(timeoutMs(ReferenceTimeoutMs), true);
  All.Candidate->run(CandidateTimeoutMs, true);
  const OutputHeader &A = All.Reference->output(), &B = All.Candidate->output();
  bool Alike = saysSomething(A) && saysSomething(B) && A.Requests == B.Requests && A.RequestHash == B.RequestHash && isDefined();
  Input.header().Denied = Denied;
  return Alike;
}

bool Search::refutes(const Seeds &Candidate, bool ByType) {
  Inputs.build(Candidate);
  Verdict Found = judge(ByType);
  while (Found == Verdict::Unstable && learnUnwritten()) // as above
    Found = judge(ByType);
  if (Found == Verdict::Refuted && !staysInside(Candidate))
    Found = Verdict::Explained;
  S->Unstable += Found == Verdict::Unstable;
  S->Explained += Found == Verdict::Explained;
  return Found == Verdict::Refuted;
}

// The input is in the shared memory. Every variant starts afresh, and whatever else could explain a difference is asked.
Search::Verdict Search::judge(bool ByType) {
  All.Reference->run(timeoutMs(ReferenceTimeoutMs), true);
  if (!saysSomething(All.Reference->output()))
    return Verdict::Equal;
  if (!isDefined() || !requestsAlike())
    return Verdict::Explained;
  All.Reference->run(timeoutMs(ReferenceTimeoutMs), true); // again: the sanitizers may have found that an argument is no string
  const OutputHeader First = All.Reference->output();
  if (!saysSomething(First))
    return Verdict::Equal;
  uint64_t LimitMs = std::max<uint64_t>(LeastTimeoutMs, TooSlow * First.Nanoseconds / 1000000);
  bool TooLong = LimitMs > LongestTimeoutMs;
  for (int Attempt = 0; Attempt == 0 || (Attempt == 1 && All.Candidate->output().Outcome == OutcomeTimeout && !TooLong); ++Attempt)
    All.Candidate->run(TooLong ? LongestTimeoutMs : static_cast<uint32_t>(LimitMs), true);
  const OutputHeader Other = All.Candidate->output();
  if (!differ(First, Other) || (Other.Outcome == OutcomeTimeout && TooLong))
    return Verdict::Equal;
  bool Stable = true;
  for (Variant *Built : {All.Reference.get(), All.Zero.get(), All.Pattern.get()}) {
    Built->run(CandidateTimeoutMs, true);
    Stable = Stable && agree(First, Built->output());
  }
  if (!Stable)
    return Verdict::Unstable;
  if (Other.Outcome != OutcomeTimeout) {
    // At another address, and with other contents of what nobody wrote, it has to be wrong, too.
    All.Moved->run(CandidateTimeoutMs, true);
    if (!differ(First, All.Moved->output()) || !differsRefilled(First))
      return Verdict::Unstable;
  }
  if (ByType) {
    All.Typed->run(CandidateTimeoutMs, true);
    if (!saysSomething(All.Typed->output()))
      return Verdict::Explained;
  }
  return Verdict::Refuted;
}

Seeds Search::withFewCalls(Seeds Current) {
  uint32_t Count = static_cast<uint32_t>(Current.Sequence.size());
  Current.Keep = (1u << Count) - 1;
  for (uint32_t Alone = 0; Count > 1 && Alone < Count && now() < Deadline; ++Alone) {
    Seeds Trial = Current;
    Trial.Keep = 1u << Alone;
    if (refutes(Trial, false))
      return Trial;
  }
  for (uint32_t Dropped = 0; Count > 2 && Dropped < Count && now() < Deadline; ++Dropped) {
    Seeds Trial = Current;
    Trial.Keep &= ~(1u << Dropped);
    if (refutes(Trial, false))
      Current = std::move(Trial);
  }
  return Current;
}

// Choices become 0 where the difference stays: many at once first, then one at a time. Those that come first (how many calls,
// which sizes) have the largest effect.
Seeds Search::minimised(Seeds Current) {
  Seeds Plain = Current;
  Plain.Plain = true;
  if (refutes(Plain, false))
    Current = std::move(Plain);
  Inputs.build(Current);
  for (size_t Chunk = Inputs.choices().size(); Chunk > 0; Chunk /= 2) {
    for (size_t Begin = 0;; Begin += Chunk) {
      Inputs.build(Current); // choices come and go with those before them
      const std::vector<Choice> Made = Inputs.choices();
      if (Begin >= Made.size())
        break;
      if (now() > Deadline)
        return Current;
      Seeds Trial = Current;
      bool Changed = false;
      for (size_t Index = Begin; Index < std::min(Made.size(), Begin + Chunk); ++Index) {
        auto Found = Current.Fixed.find(Made[Index].Path);
        uint64_t Value = Found != Current.Fixed.end() ? Found->second % Made[Index].Bound
                                                      : scramble(Current.Seed, Made[Index].Path) % Made[Index].Bound;
        Changed |= Value != 0;
        Trial.Fixed[Made[Index].Path] = 0;
      }
      if (Changed && refutes(Trial, false))
        Current = std::move(Trial);
    }
  }
  // Then the numbers.
  Inputs.build(Current);
  const std::vector<Leaf> Leaves = Inputs.leaves();
  for (size_t Chunk = Leaves.size(); Chunk > 0 && !Current.Plain; Chunk /= 2)
    for (size_t Begin = 0; Begin < Leaves.size() && now() <= Deadline; Begin += Chunk) {
      Seeds Trial = Current;
      bool Changed = false;
      for (size_t Index = Begin; Index < std::min(Leaves.size(), Begin + Chunk); ++Index)
        if (const Leaf &L = Leaves[Index]; L.What == Leaf::Kind::Number && L.Value != 0 && !Current.Fixed.count(L.Path)) {
          Trial.Fixed[L.Path] = 0;
          Changed = true;
        }
      if (Changed && refutes(Trial, false))
        Current = std::move(Trial);
    }
  return Current;
}

// What was put into the input after all is taken out where the difference stays.
Seeds Search::withFewBytes(Seeds Current) {
  auto withFewOf = [&](auto Seeds::*Which) {
    for (size_t Index = (Current.*Which).size(); Index-- > 0 && now() < Deadline;) {
      Seeds Trial = Current;
      (Trial.*Which).erase((Trial.*Which).begin() + static_cast<std::ptrdiff_t>(Index));
      if (refutes(Trial, false))
        Current = std::move(Trial);
    }
  };
  withFewOf(&Seeds::Bytes);
  withFewOf(&Seeds::Clobbers);
  withFewOf(&Seeds::Redirections);
  const auto Fixed = Current.Fixed;
  for (const auto &[Path, Value] : Fixed) {
    if (now() > Deadline)
      break;
    Seeds Trial = Current;
    Trial.Fixed.erase(Path);
    if (refutes(Trial, false))
      Current = std::move(Trial);
  }
  return Current;
}

Finding Search::finding(uint32_t Function, const Seeds &Candidate) {
  Finding Found;
  Deadline = now() + MinimisationSeconds;
  Found.Input = minimised(withFewBytes(withFewCalls(Candidate)));
  if (!refutes(Found.Input, true)) // what was left out made it respect the types
    Found.Input = Candidate;
  Inputs.build(Found.Input);
  // It is the function's own fault unless the difference is there without it.
  Found.Function = Inputs.calls().back().Function;
  for (const BuiltCall &Call : Inputs.calls())
    if (Call.Function == Function)
      Found.Function = Function;
  Found.Report = explainDifference(D, Input, All, Inputs);
  Found.Refuted = differ(All.Reference->output(), All.Candidate->output()); // what cannot be shown is not claimed
  return Found;
}

} // namespace cct
