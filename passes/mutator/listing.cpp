#include "listing.h"

#include "llvm/IR/DebugInfoMetadata.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/ModuleSlotTracker.h"
#include "llvm/Support/JSON.h"

using namespace llvm;

namespace cc_agent {

Listing::Listing(Module &module) : module(module) {
  builder.registerModuleAnalyses(moduleAnalyses);
  builder.registerCGSCCAnalyses(callGraphAnalyses);
  builder.registerFunctionAnalyses(functionAnalyses);
  builder.registerLoopAnalyses(loopAnalyses);
  builder.crossRegisterProxies(loopAnalyses, functionAnalyses, callGraphAnalyses, moduleAnalyses);
  for (const Kind *kind : allKinds())
    found.emplace_back(kind, Sites());
  for (Function &function : module) {
    if (function.isDeclaration() || function.hasAvailableExternallyLinkage())
      continue;
    Context context{function, functionAnalyses.getResult<DominatorTreeAnalysis>(function), functionAnalyses.getResult<LoopAnalysis>(function),
                    functionAnalyses.getResult<AAManager>(function), functionAnalyses.getResult<TargetIRAnalysis>(function)};
    for (Instruction &instruction : instructions(function)) {
      if (isa<DbgInfoIntrinsic>(instruction) || instruction.isEHPad() || !context.dominators.isReachableFromEntry(instruction.getParent()))
        continue;
      for (auto &[kind, sites] : found)
        kind->find(instruction, context, sites);
    }
  }
}

void Listing::print(raw_ostream &stream, ArrayRef<std::string> functions) const {
  ModuleSlotTracker slots(&module);
  const Function *current = nullptr;
  for (const auto &[kind, sites] : found)
    for (const auto &[number, site] : enumerate(sites)) {
      const Function *function = site.instruction->getFunction();
      if (!functions.empty() && !is_contained(functions, function->getName()))
        continue;
      if (function != current)
        slots.incorporateFunction(*function);
      current = function;
      std::string text;
      raw_string_ostream printed(text);
      site.instruction->print(printed, slots);
      json::Object line{{"kind", kind->name},
                        {"site", static_cast<int64_t>(number)},
                        {"function", function->getName()},
                        {"external", !function->hasLocalLinkage()},
                        {"instruction", StringRef(text).trim()}};
      if (const DebugLoc &where = site.instruction->getDebugLoc()) {
        line["line"] = where.getLine();
        line["file"] = where->getFilename();
      }
      stream << json::Value(std::move(line)) << "\n";
    }
}

Site *Listing::find(StringRef kind, unsigned number) {
  for (auto &[candidate, sites] : found)
    if (candidate->name == kind)
      return number < sites.size() ? &sites[number] : nullptr;
  return nullptr;
}

void printKinds(raw_ostream &stream) {
  for (const Kind *kind : allKinds())
    stream << json::Value(json::Object{{"kind", kind->name}, {"summary", kind->summary}}) << "\n";
}

} // namespace cc_agent
