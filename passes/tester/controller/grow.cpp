// Arrays as long as the code wants them: where an index is large, or a large number bounds it, all that inputs begin with are too
// short.
#include "search.h"

namespace cct {
namespace {

constexpr int MostSteps = 40;
// Each costs a process: of the effort so much, and more where it has led anywhere.
constexpr double ShareOfEffort = 0.08, ShareAfterSuccess = 0.25;
constexpr uint32_t GrowthTimeoutMs = 40;

} // namespace

bool Search::isTooShort(Run Done) const {
  if (Done == Run::Undefined)
    return All.Sanitized->output().FaultAddress - ArenaBase < ArenaSize;
  // What was written over may have led anywhere; but what runs over the end of the whole arena is too long for any array.
  constexpr uint64_t Page = 4096;
  const OutputHeader &Reference = All.Reference->output();
  return Done == Run::Discarded && Reference.Outcome == OutcomeSignal && Reference.FaultAddress - (ArenaBase + ArenaSize) >= Page;
}

bool Search::grow(uint32_t Function, Seeds &Candidate) {
  uint64_t Start = effort();
  double Share = HasGrown ? ShareAfterSuccess : ShareOfEffort;
  if (static_cast<double>(GrowthEffort) > Share * static_cast<double>(Start - EffortBefore))
    return false;
  bool Enough = makeLonger(Function, Candidate);
  GrowthEffort += effort() - Start;
  HasGrown |= Enough;
  return Enough;
}

bool Search::makeLonger(uint32_t Function, Seeds &Candidate) {
  Seeds Longer = Candidate;
  for (int Step = 0; Step < MostSteps; ++Step) {
    Inputs.build(Longer, true);
    Input.header().Counted = Function + 1;
    runSanitized(GrowthTimeoutMs);
    if (saysSomething(All.Sanitized->output())) {
      Candidate = std::move(Longer);
      return Step > 0;
    }
    Length Wanted = Inputs.lengthUpTo(All.Sanitized->output().FaultAddress);
    if (!Wanted.Elements)
      return false;
    if (Step == 0) // or they would grow, too
      for (const Leaf &L : Inputs.leaves())
        if (L.OfLength)
          Longer.Fixed.insert({L.Path, L.Value});
    Longer.Fixed[Wanted.Path] = Wanted.Elements;
  }
  return false;
}

} // namespace cct
