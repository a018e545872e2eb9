#include "test_passes.h"

#include "llvm/IR/Constants.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/Module.h"
#include "llvm/Passes/PassBuilder.h"
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <vector>

using namespace llvm;

namespace cc_agent {
namespace {

void misbehave(StringRef how, Module &module) {
  if (how == "crash") {
    std::raise(SIGSEGV);
  } else if (how == "abort") {
    std::abort();
  } else if (how == "hang") {
    for (volatile bool forever = true; forever;)
      ;
  } else if (how == "eat-memory") {
    for (std::vector<char *> kept;;) {
      kept.push_back(new char[1 << 20]);
      std::memset(kept.back(), 1, 1 << 20);
    }
  } else if (how == "keep-memory") {
    constexpr size_t Size = size_t(100) << 20;
    char *volatile kept = new char[Size]; // never freed
    std::memset(kept, 1, Size);
  } else if (how == "fatal-error") {
    report_fatal_error("cc-agent-test-fatal-error");
  } else if (how == "invalid") { // a block without a terminator
    for (Function &function : module)
      if (!function.isDeclaration())
        function.back().getTerminator()->eraseFromParent();
  } else if (how == "miscompile") { // valid IR that means something else: every returned integer is zero
    for (Function &function : module)
      for (BasicBlock &block : function)
        if (auto *end = dyn_cast<ReturnInst>(block.getTerminator()); end && end->getReturnValue() && end->getReturnValue()->getType()->isIntegerTy())
          end->setOperand(0, ConstantInt::get(end->getReturnValue()->getType(), 0));
  }
}

struct TestPass : PassInfoMixin<TestPass> {
  std::string how;
  explicit TestPass(StringRef how) : how(how) {}
  PreservedAnalyses run(Module &module, ModuleAnalysisManager &) {
    misbehave(how, module);
    return PreservedAnalyses::none();
  }
};

} // namespace

void registerTestPasses(PassBuilder &builder) {
  const char *wanted = std::getenv("CC_AGENT_TEST_PASSES");
  if (!wanted || StringRef(wanted) != "1")
    return;
  builder.registerPipelineParsingCallback([](StringRef name, ModulePassManager &manager, ArrayRef<PassBuilder::PipelineElement>) {
    if (!name.consume_front("cc-agent-test-"))
      return false;
    for (StringRef known : {"crash", "abort", "hang", "eat-memory", "keep-memory", "fatal-error", "invalid", "miscompile"})
      if (name == known) {
        manager.addPass(TestPass(name));
        return true;
      }
    return false;
  });
}

} // namespace cc_agent
