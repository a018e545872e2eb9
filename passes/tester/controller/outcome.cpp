#include "outcome.h"

#include <cstring>

namespace cct {

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

} // namespace cct
