#include "pass_effects.h"

#include "llvm/Analysis/LazyCallGraph.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/IR/Function.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/JSON.h"

using namespace llvm;

namespace cc_agent {
namespace {

/// What holds other passes, and does nothing itself.
bool isManager(StringRef pass) { return isSpecialPass(pass, {"PassManager", "PassAdaptor", "RequireAnalysisPass", "InvalidateAnalysisPass", "DevirtSCCRepeatedPass"}); }

const Function *functionOf(const Any &unit) {
  if (auto *function = any_cast<const Function *>(&unit))
    return *function;
  if (auto *loop = any_cast<const Loop *>(&unit))
    return (*loop)->getHeader()->getParent();
  return nullptr;
}

StringMap<int64_t> countAll(const Module &module) {
  StringMap<int64_t> counts;
  for (const Function &function : module)
    if (!function.isDeclaration())
      counts[function.getName()] = function.getInstructionCount();
  return counts;
}

json::Object asObject(const StringMap<int64_t> &counts) {
  json::Object object;
  for (auto &entry : counts)
    if (entry.second)
      object[json::fixUTF8(entry.first())] = entry.second;
  return object;
}

} // namespace

PassEffects::PassEffects(const Module &module) : module(module), before(countAll(module)), counts(before) {
  callbacks.registerBeforeNonSkippedPassCallback([this](StringRef pass, Any unit) {
    if (!isManager(pass))
      running.push_back(functionOf(unit));
  });
  callbacks.registerAfterPassCallback([this](StringRef pass, Any unit, const PreservedAnalyses &preserved) { ran(pass, &unit, preserved); });
  callbacks.registerAfterPassInvalidatedCallback([this](StringRef pass, const PreservedAnalyses &preserved) { ran(pass, nullptr, preserved); });
}

/// Books what a pass has changed; without `unit` it has deleted what it ran on.
void PassEffects::ran(StringRef pass, const Any *unit, const PreservedAnalyses &preserved) {
  // At its end this deletes the functions that the inliner has left unused.
  if (auto *inliner = effects.find("inline"); inliner != effects.end() && pass.starts_with("ModuleToPostOrderCGSCCPassAdaptor"))
    recountAll(inliner->second);
  if (isManager(pass))
    return;
  const Function *function = running.pop_back_val();
  StringRef name = callbacks.getPassNameForClassName(pass);
  Effect &effect = effects[(name.empty() ? pass : name).str()];
  ++effect.runs;
  if (preserved.areAllPreserved())
    return;
  ++effect.changed;
  // To count the whole module after each run on a part of it takes minutes where there are thousands of functions.
  if (function)
    recount(effect, *function);
  else if (auto *component = unit ? any_cast<const LazyCallGraph::SCC *>(unit) : nullptr)
    for (LazyCallGraph::Node &node : **component)
      recount(effect, node.getFunction());
  else
    recountAll(effect);
}

void PassEffects::recount(Effect &effect, const Function &function) {
  int64_t now = function.getInstructionCount(), &known = counts[function.getName()];
  effect.gained[function.getName()] += now - known;
  known = now;
}

void PassEffects::recountAll(Effect &effect) {
  StringMap<int64_t> now = countAll(module);
  for (auto &entry : now)
    effect.gained[entry.first()] += entry.second - counts.lookup(entry.first());
  for (auto &entry : counts)
    if (!now.contains(entry.first()))
      effect.gained[entry.first()] -= entry.second;
  counts = std::move(now);
}

std::string PassEffects::asJson() {
  json::Array passes;
  for (auto &[name, effect] : effects)
    passes.push_back(json::Object{{"name", name}, {"runs", effect.runs}, {"changed", effect.changed}, {"functions", asObject(effect.gained)}});
  std::string text;
  raw_string_ostream(text) << json::Value(
      json::Object{{"passes", std::move(passes)}, {"before", asObject(before)}, {"after", asObject(countAll(module))}});
  return text;
}

} // namespace cc_agent
