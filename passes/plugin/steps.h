// A plan as a sequence of steps at whose ends a process can wait: the top-level elements of its pipeline.
#pragma once
#include "request.h"
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace cc_agent {

class Steps {
public:
  /// No steps where the plan cannot be parsed, or its elements do not each stand for themselves: `sroa,gvn` is one function
  /// pipeline, which runs both passes on a function before it goes on to the next.
  Steps(const Request &request, const std::function<bool(llvm::StringRef)> &standsAtModuleLevel);

  size_t count() const { return elements.size(); }
  /// Tells plans with equal first `length` elements and equal beginnings from all others.
  uint64_t prefix(size_t length) const { return prefixes[length]; }
  /// The elements from `from` on, before `to`, as a pipeline.
  std::string pipeline(size_t from, size_t to) const;
  /// What has to hold before the first element: the options that passes may read, and decisions.
  const std::string &beginning() const { return start; }
  /// Whether passes over functions stand there, which take time; passes over the module alone mostly do not.
  bool takesTime(size_t from, size_t to) const;

private:
  std::string start;
  std::vector<std::string> elements;
  std::vector<uint64_t> prefixes;
};

} // namespace cc_agent
