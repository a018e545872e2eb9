// Which passes of a run changed the module, and by how many instructions.
#pragma once
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/IR/PassInstrumentation.h"
#include <map>
#include <string>
#include <vector>

namespace llvm {
class Module;
}

namespace cc_agent {

/// Counts while a pipeline runs whose PassBuilder was made with `callbacks`. Use it for one run of one module.
class PassEffects {
public:
  explicit PassEffects(const llvm::Module &module);

  llvm::PassInstrumentationCallbacks callbacks;

  /// {"passes": [{"name", "runs", "changed", "functions": {name: instructions gained}}], "before": {name: instructions},
  /// "after": {name: instructions}}; passes in the order of their first run.
  std::string asJson();

private:
  struct Effect {
    unsigned runs = 0, changed = 0;
    llvm::StringMap<int64_t> gained;
  };

  void ran(llvm::StringRef pass, const llvm::Any *unit, const llvm::PreservedAnalyses &preserved);
  void recount(Effect &effect, const llvm::Function &function);
  void recountAll(Effect &effect);

  const llvm::Module &module;
  llvm::StringMap<int64_t> before, counts;
  llvm::SmallVector<const llvm::Function *> running; ///< what the passes that have begun run on; null: on more than one function
  llvm::MapVector<std::string, Effect, std::map<std::string, unsigned>> effects;
};

} // namespace cc_agent
