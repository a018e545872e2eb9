// Inputs that wait to be tried, by the place in the code that each is made for. What a loop compares makes hundreds of them; the one
// comparison behind it that nobody has got past yet must not wait for all those.
#pragma once

#include "generate.h"

#include <functional>
#include <unordered_map>
#include <vector>

namespace cct {

class Waiting {
public:
  using Random = std::function<uint64_t(uint64_t)>; // a number below another one

  bool empty() const { return Count == 0; }
  void add(uint64_t Site, Seeds Input, const Random &Below);
  // One of a place that has had few so far.
  Seeds take(const Random &Below);

private:
  struct Place {
    std::vector<Seeds> Inputs;
    uint64_t Taken = 0;
  };
  std::vector<Place> Places;
  std::unordered_map<uint64_t, size_t> Known; // places by site
  std::vector<size_t> Filled; // places where something waits
  size_t Count = 0;
};

} // namespace cct
