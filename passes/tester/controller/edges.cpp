#include "edges.h"

namespace cct {

static uint8_t bucket(uint8_t Count) {
  return Count == 0   ? 0
         : Count == 1 ? 1
         : Count == 2 ? 2
         : Count == 3 ? 4
         : Count < 8  ? 8
         : Count < 16 ? 16
         : Count < 32 ? 32
         : Count < 128 ? 64
                       : 128;
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

} // namespace cct
