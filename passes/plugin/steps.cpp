#include "steps.h"

#include "plan.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/xxhash.h"
#include <algorithm>

using namespace llvm;

namespace cc_agent {

Steps::Steps(const Request &request, const std::function<bool(StringRef)> &standsAtModuleLevel) {
  auto plan = parsePlan(request.plan);
  auto late = parseOptions(request.late);
  if (!plan || !late) {
    consumeError(plan.takeError());
    consumeError(late.takeError());
    return;
  }
  auto isLate = [&](const auto &option) { return is_contained(late->options, option); };
  plan->options.erase(std::remove_if(plan->options.begin(), plan->options.end(), isLate), plan->options.end());
  start = plan->optionsText() + plan->decisionsText();
  std::vector<StringRef> parts = topLevelElements(plan->pipeline);
  if (!standsAtModuleLevel(parts.front()))
    return;
  prefixes.push_back(xxh3_64bits(start));
  for (StringRef part : parts) {
    elements.push_back(part.str());
    prefixes.push_back(xxh3_64bits(utohexstr(prefixes.back()) + elements.back()));
  }
}

std::string Steps::pipeline(size_t from, size_t to) const { return join(elements.begin() + std::ptrdiff_t(from), elements.begin() + std::ptrdiff_t(to), ","); }

bool Steps::takesTime(size_t from, size_t to) const {
  return std::any_of(elements.begin() + std::ptrdiff_t(from), elements.begin() + std::ptrdiff_t(to),
                     [](const std::string &element) { return element.find('(') != std::string::npos || element.rfind("default<", 0) == 0; });
}

} // namespace cc_agent
