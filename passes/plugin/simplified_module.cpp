#include "simplified_module.h"

#include "llvm/Analysis/LoopInfo.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Module.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/Error.h"

using namespace llvm;

namespace cc_agent {
namespace {

constexpr const char *tagName = "cc-agent.loop";

/// The beginning of LLVM's own pipelines, without what inlines, vectorizes, unrolls or deletes loops.
constexpr const char *cleaning = "function(sroa<modify-cfg>,early-cse<memssa>,simplifycfg,instcombine<no-verify-fixpoint>,simplifycfg)";
constexpr const char *inlining = "always-inline";
constexpr const char *shaping = "function(loop-mssa(loop-rotate,licm),early-cse<memssa>,instcombine<no-verify-fixpoint>,loop(indvars),"
                                "early-cse<memssa>,loop-simplify,lcssa,instnamer)";
constexpr const char *tidying = "function(simplifycfg,instcombine<no-verify-fixpoint>,simplifycfg,instnamer)";

void run(const Twine &pipeline, Module &module, PassBuilder &builder, ModuleAnalysisManager &modules) {
  ModulePassManager manager;
  cantFail(builder.parsePassPipeline(manager, pipeline.str())); // the text is our own
  manager.run(module, modules);
}

bool isSmallWithoutLoops(Function &function) {
  if (function.isDeclaration() || function.isInterposable() || function.hasFnAttribute(Attribute::NoInline) ||
      function.hasFnAttribute(Attribute::OptimizeNone) || function.getInstructionCount() > inlinedInstructions)
    return false;
  for (const Instruction &instruction : instructions(function))
    if (auto *call = dyn_cast<CallBase>(&instruction); call && call->getCalledFunction() == &function)
      return false;
  DominatorTree dominators(function);
  return LoopInfo(dominators).empty();
}

} // namespace

std::optional<unsigned> positionOf(const Loop &loop) {
  auto position = getOptionalIntLoopAttribute(&loop, tagName);
  return position ? std::optional<unsigned>(*position) : std::nullopt;
}

void tagLoops(Function &function, const LoopInfo &loops) {
  LLVMContext &context = function.getContext();
  unsigned position = 0;
  for (Loop *loop : loops.getLoopsInPreorder()) {
    Metadata *number = ConstantAsMetadata::get(ConstantInt::get(Type::getInt32Ty(context), position++));
    MDNode *tag = MDNode::get(context, {MDString::get(context, tagName), number});
    loop->setLoopID(makePostTransformationMetadata(context, loop->getLoopID(), {}, {tag}));
  }
}

void simplify(Module &module, PassBuilder &builder, ModuleAnalysisManager &modules) {
  run(cleaning, module, builder, modules);
  for (Function &function : module)
    if (isSmallWithoutLoops(function)) {
      function.addFnAttr(Attribute::AlwaysInline);
      function.setComdat(nullptr);
      function.setLinkage(GlobalValue::ExternalLinkage); // else it were deleted once it is inlined everywhere
    }
  run(Twine(inlining) + "," + cleaning + "," + shaping, module, builder, modules);
}

void tidy(Module &module, PassBuilder &builder, ModuleAnalysisManager &modules) { run(tidying, module, builder, modules); }

} // namespace cc_agent
