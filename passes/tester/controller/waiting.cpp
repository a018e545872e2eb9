#include "waiting.h"

namespace cct {
namespace {

constexpr size_t MostAtPlace = 64, FewAtPlace = 8;
constexpr size_t Many = 1000; // from then on no place gets more than a few

} // namespace

void Waiting::add(uint64_t Site, Seeds Input, const Random &Below) {
  auto [Found, New] = Known.try_emplace(Site, Places.size());
  if (New)
    Places.emplace_back();
  std::vector<Seeds> &Inputs = Places[Found->second].Inputs;
  if (Inputs.size() >= (Count < Many ? MostAtPlace : FewAtPlace)) { // the newest reach farthest
    Inputs[Below(Inputs.size())] = std::move(Input);
    return;
  }
  if (Inputs.empty())
    Filled.push_back(Found->second);
  Inputs.push_back(std::move(Input));
  ++Count;
}

Seeds Waiting::take(const Random &Below) {
  size_t At = Below(Filled.size()), Other = Below(Filled.size());
  if (Places[Filled[Other]].Taken < Places[Filled[At]].Taken)
    At = Other;
  Place &Chosen = Places[Filled[At]];
  ++Chosen.Taken;
  std::swap(Chosen.Inputs[Below(Chosen.Inputs.size())], Chosen.Inputs.back());
  Seeds Result = std::move(Chosen.Inputs.back());
  Chosen.Inputs.pop_back();
  if (Chosen.Inputs.empty()) {
    Filled[At] = Filled.back();
    Filled.pop_back();
  }
  --Count;
  return Result;
}

} // namespace cct
