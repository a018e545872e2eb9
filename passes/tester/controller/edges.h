// What was reached before: for each edge the numbers of times that it was taken in a run, in buckets.
#pragma once

#include "variant.h"

#include <vector>

namespace cct {

// Whether the variant's last run took an edge as often as none before it; Record: that is known from now on.
bool newEdges(const Variant &V, std::vector<uint8_t> &Seen, bool Record);

} // namespace cct
