#include "unroll_and_jam.h"

#include "nest_dependences.h"
#include "nest_form.h"
#include "nest_versions.h"
#include "llvm/Analysis/AliasAnalysis.h"
#include "llvm/Analysis/AssumptionCache.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/Analysis/OptimizationRemarkEmitter.h"
#include "llvm/Analysis/ScalarEvolution.h"
#include "llvm/Analysis/TargetTransformInfo.h"
#include "llvm/IR/Dominators.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/LICM.h"
#include "llvm/Transforms/Scalar/LoopPassManager.h"
#include "llvm/Transforms/Scalar/SimpleLoopUnswitch.h"
#include "llvm/Transforms/Scalar/SimplifyCFG.h"
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
    OptimizationRemarkEmitter &remarks;

    bool jam() {
      SmallVector<Loop *> outer;
      for (Loop *loop : loops.getLoopsInPreorder())
        if (loop->isInnermost() && loop->getParentLoop())
          outer.push_back(loop->getParentLoop());
      bool isChanged = false;
      for (Loop *loop : outer)
        isChanged |= jam(*loop);
      return isChanged;
    }

    /// Whether the function was changed.
    bool jam(Loop &loop) {
      if (hasUnrollAndJamTransformation(&loop) & TM_Disable)
        return false;
      StringRef whyNot = "the nest has not the form for it, or is too large";
      std::optional<NestConditions> conditions;
      if (hasRightForm(loop))
        conditions = conditionsToJam(loop, Count, scev, aliases, dominators, whyNot);
      if (!conditions) {
        remarks.emit([&] { return OptimizationRemarkMissed(DEBUG_TYPE, "NotJammed", loop.getStartLoc(), loop.getHeader()) << "not jammed: " << whyNot; });
        return false;
      }
      if (!conditions->holdAlways() && !versionNest(loop, *conditions, loops, dominators, scev))
        return false;
      BasicBlock *latch = loop.getLoopLatch();
      auto location = loop.getStartLoc();
      const BasicBlock *header = loop.getHeader();
      auto result = UnrollAndJamLoop(&loop, Count, scev.getSmallConstantTripCount(&loop, latch), scev.getSmallConstantTripMultiple(&loop, latch),
                                     /*UnrollRemainder=*/false, &loops, &scev, &dominators, &assumptions, &target, &remarks);
      if (result == LoopUnrollResult::Unmodified)
        return !conditions->holdAlways();
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
      return hasFormToJam(loop, dominators);
    }
  };
};

} // namespace

void registerUnrollAndJam(PassBuilder &builder) {
  builder.registerVectorizerStartEPCallback([](FunctionPassManager &manager, OptimizationLevel) {
    if (Count < 2)
      return;
    // Whether the inner loop runs at all is asked in front of the outer one, also where that was not known to be the same before inlining.
    LoopPassManager hoisting;
    hoisting.addPass(LICMPass(LICMOptions()));
    hoisting.addPass(SimpleLoopUnswitchPass(/*NonTrivial=*/true));
    manager.addPass(createFunctionToLoopPassAdaptor(std::move(hoisting), /*UseMemorySSA=*/true));
    manager.addPass(SimplifyCFGPass(SimplifyCFGOptions().needCanonicalLoops(true)));
    manager.addPass(LoopSimplifyPass());
    manager.addPass(LCSSAPass());
    manager.addPass(UnrollAndJam());
    // Accumulators in memory, which are known to be apart from the rest now.
    manager.addPass(createFunctionToLoopPassAdaptor(LICMPass(LICMOptions()), /*UseMemorySSA=*/true));
    manager.addPass(EarlyCSEPass(/*UseMemorySSA=*/true));
  });
}

} // namespace cc_agent
