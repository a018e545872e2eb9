// How two runs of one input compare.
#pragma once

#include "../shared/layout.h"

namespace cct {

// Whether a run ended in a way that the candidate has to share.
bool saysSomething(const OutputHeader &Output);
bool same(const OutputHeader &A, const OutputHeader &B);
// Whether two builds of the reference do the same.
bool agree(const OutputHeader &A, const OutputHeader &B);
// Whether the candidate does something that the reference does not.
bool differ(const OutputHeader &Reference, const OutputHeader &Candidate);

} // namespace cct
