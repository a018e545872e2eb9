#include "unroll_and_jam.h"

#include "nest_dependences.h"
#include "nest_versions.h"
#include "llvm/Analysis/AliasAnalysis.h"
#include "llvm/Analysis/AssumptionCache.h"
#include "llvm/Analysis/DependenceAnalysis.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/Analysis/OptimizationRemarkEmitter.h"
#include "llvm/Analysis/ScalarEvolution.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/Analysis/TargetTransformInfo.h"
#include "llvm/IR/Dominators.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/LICM.h"
#include "llvm/Transforms/Scalar/LoopPassManager.h"
#include "llvm/Transforms/Utils/LCSSA.h"
#include "llvm/Transforms/Utils/LoopSimplify.h"
#include "llvm/Transforms/Utils/LoopUtils.h"
#include "llvm/Transforms/Utils/UnrollLoop.h"

#define DEBUG_TYPE "cc-agent-unroll-and-jam"

using namespace llvm;

namespace cc_agent {
namespace {

cl::opt<unsigned> Count("cc-agent-unroll-and-jam", cl::init(0), cl::Hidden,
                        cl::desc("Iterations of an outer loop that are run together, checked at run time where need be; 0: the pass does not run"));
cl::opt<unsigned> MostInstructions("cc-agent-unroll-and-jam-threshold", cl::init(600), cl::Hidden,
                                   cl::desc("Instructions that a nest may have after unroll-and-jam"));

/// Says of everything that it is apart, so that LLVM's test looks at the nest's form alone.
class AllApart : public AAResultBase {
public:
  AliasResult alias(const MemoryLocation &, const MemoryLocation &, AAQueryInfo &, const Instruction *) { return AliasResult::NoAlias; }
};

class UnrollAndJam : public PassInfoMixin<UnrollAndJam> {
public:
  PreservedAnalyses run(Function &function, FunctionAnalysisManager &analyses) {
    Nests nests{function,
                analyses.getResult<LoopAnalysis>(function),
                analyses.getResult<DominatorTreeAnalysis>(function),
                analyses.getResult<ScalarEvolutionAnalysis>(function),
                analyses.getResult<AAManager>(function),
                analyses.getResult<AssumptionAnalysis>(function),
                analyses.getResult<TargetIRAnalysis>(function),
                analyses.getResult<TargetLibraryAnalysis>(function),
                analyses.getResult<OptimizationRemarkEmitterAnalysis>(function)};
    return nests.jam() ? PreservedAnalyses::none() : PreservedAnalyses::all();
  }

private:
  struct Nests {
    Function &function;
    LoopInfo &loops;
    DominatorTree &dominators;
    ScalarEvolution &scev;
    AAResults &aliases;
    AssumptionCache &assumptions;
    TargetTransformInfo &target;
    TargetLibraryInfo &libraries;
    OptimizationRemarkEmitter &remarks;

    bool jam() {
      SmallVector<Loop *> outer;
      for (Loop *loop : loops.getLoopsInPreorder())
        if (loop->isInnermost() && loop->getParentLoop())
          outer.push_back(loop->getParentLoop());
      bool isChanged = false;
      for (Loop *loop : outer) // the first that can be, from within
        for (; loop && !jam(*loop, isChanged); loop = loop->getParentLoop())
          ;
      return isChanged;
    }

    /// Whether the loop's nest was jammed.
    bool jam(Loop &loop, bool &isChanged) {
      if (hasUnrollAndJamTransformation(&loop) & TM_Disable || !hasRightForm(loop))
        return false;
      auto conditions = conditionsToJam(loop, Count, scev, aliases, dominators);
      if (!conditions || !conditions->isProfitable)
        return false;
      if (!conditions->holdAlways()) {
        if (!versionNest(loop, *conditions, loops, dominators, scev))
          return false;
        isChanged = true;
      }
      BasicBlock *latch = loop.getLoopLatch();
      auto location = loop.getStartLoc();
      const BasicBlock *header = loop.getHeader();
      auto result = UnrollAndJamLoop(&loop, Count, scev.getSmallConstantTripCount(&loop, latch), scev.getSmallConstantTripMultiple(&loop, latch),
                                     /*UnrollRemainder=*/false, &loops, &scev, &dominators, &assumptions, &target, &remarks);
      if (result == LoopUnrollResult::Unmodified)
        return false;
      isChanged = true;
      remarks.emit([&] {
        return OptimizationRemark(DEBUG_TYPE, "Jammed", location, header) << ore::NV("Count", unsigned(Count)) << " iterations of the outer loop run together"
               << (conditions->holdAlways() ? "" : ", where a check at run time says that they may");
      });
      return true;
    }

    bool hasRightForm(Loop &loop) {
      unsigned size = 0;
      for (const BasicBlock *block : loop.blocks())
        size += block->size();
      unsigned trips = scev.getSmallConstantTripCount(&loop, loop.getLoopLatch());
      if (size * Count > MostInstructions || (trips && trips <= Count) || !loop.isLCSSAForm(dominators))
        return false;
      AllApart nothing;
      AAResults allApart(libraries);
      allApart.addAAResult(nothing);
      DependenceInfo dependences(&function, &allApart, &scev, &loops);
      return isSafeToUnrollAndJam(&loop, scev, dominators, dependences, loops);
    }
  };
};

} // namespace

void registerUnrollAndJam(PassBuilder &builder) {
  builder.registerVectorizerStartEPCallback([](FunctionPassManager &manager, OptimizationLevel) {
    if (Count < 2)
      return;
    manager.addPass(LoopSimplifyPass());
    manager.addPass(LCSSAPass());
    manager.addPass(UnrollAndJam());
    // Accumulators in memory, which are known to be apart from the rest now.
    manager.addPass(createFunctionToLoopPassAdaptor(LICMPass(LICMOptions()), /*UseMemorySSA=*/true));
    manager.addPass(EarlyCSEPass(/*UseMemorySSA=*/true));
  });
}

} // namespace cc_agent
