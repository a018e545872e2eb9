#include "module_summary.h"

#include "loop_summary.h"
#include "simplified_module.h"
#include "llvm/Analysis/BlockFrequencyInfo.h"
#include "llvm/Analysis/CycleAnalysis.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/AssemblyAnnotationWriter.h"
#include "llvm/IR/DebugInfoMetadata.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/Module.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/FormattedStream.h"
#include "llvm/Transforms/Utils/Cloning.h"

using namespace llvm;

namespace cc_agent {
namespace {

/// Analysis managers that know each other, and stay in one place.
struct Analyses {
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager components;
  ModuleAnalysisManager modules;
  PassBuilder builder;

  Analyses() {
    builder.registerModuleAnalyses(modules);
    builder.registerCGSCCAnalyses(components);
    builder.registerFunctionAnalyses(functions);
    builder.registerLoopAnalyses(loops);
    builder.crossRegisterProxies(loops, functions, components, modules);
  }
};

/// Notes at the head of each block which loop it is in and from which lines it comes.
class BlockNotes : public AssemblyAnnotationWriter {
public:
  explicit BlockNotes(const LoopInfo &loops) : loops(loops) {}
  void emitBasicBlockStartAnnot(const BasicBlock *block, formatted_raw_ostream &stream) override {
    int64_t first = 0, last = 0;
    for (const Instruction &instruction : *block)
      if (int64_t line = lineOf(instruction.getDebugLoc())) {
        first = first ? std::min(first, line) : line;
        last = std::max(last, line);
      }
    const Loop *loop = loops.getLoopFor(block);
    auto position = loop ? positionOf(*loop) : std::nullopt;
    stream << "; lines " << first << '-' << last << " loop " << (position ? int64_t(*position) : -1) << '\n';
  }

private:
  const LoopInfo &loops;
};

class FunctionSummary {
public:
  FunctionSummary(json::OStream &out, Function &before, Analyses &original, Function *simplified, Analyses &analyses)
      : out(out), before(before), simplified(simplified), original(original), analyses(analyses), loopsBefore(original.functions.getResult<LoopAnalysis>(before)) {}

  void write() {
    out.attribute("name", json::fixUTF8(before.getName()));
    out.attribute("local", before.hasLocalLinkage());
    out.attribute("discardable", before.isDiscardableIfUnused());
    if (const DISubprogram *program = before.getSubprogram()) {
      out.attribute("file", json::fixUTF8(program->getFilename()));
      out.attribute("line", int64_t(program->getLine()));
    }
    out.attribute("instructions", int64_t(before.getInstructionCount()));
    out.attribute("cpu", json::fixUTF8(before.getFnAttribute("target-cpu").getValueAsString()));
    out.attributeArray("attributes", [&] { writeAttributes(); });
    out.attributeArray("irreducible_lines", [&] { writeIrreducible(); });
    out.attributeArray("calls", [&] { writeCalls(); });
    writeProfile();
    out.attributeArray("loops", [&] { writeLoops(); });
  }

private:
  /// What a person could have written in the source, and what the front end inferred.
  void writeAttributes() {
    static const Attribute::AttrKind kinds[] = {Attribute::AlwaysInline, Attribute::InlineHint, Attribute::NoInline, Attribute::OptimizeForSize,
                                                Attribute::MinSize,      Attribute::Hot,        Attribute::Cold,     Attribute::NoReturn,
                                                Attribute::NoUnwind,     Attribute::OptimizeNone};
    for (auto kind : kinds)
      if (before.hasFnAttribute(kind))
        out.value(Attribute::getNameFromAttrKind(kind));
    if (before.doesNotAccessMemory())
      out.value("memory(none)");
    else if (before.onlyReadsMemory())
      out.value("memory(read)");
    if (before.isVarArg())
      out.value("variadic");
    for (const Argument &argument : before.args())
      if (argument.hasNoAliasAttr())
        out.value("noalias(%" + json::fixUTF8(argument.getName()) + ")");
  }

  void writeIrreducible() {
    SmallVector<const Cycle *> waiting(original.functions.getResult<CycleAnalysis>(before).toplevel_cycles());
    while (!waiting.empty()) {
      const Cycle *cycle = waiting.pop_back_val();
      if (!cycle->isReducible())
        out.value(lineOf(cycle->getHeader()->getTerminator()->getDebugLoc()));
      waiting.append(cycle->child_begin(), cycle->child_end());
    }
  }

  void writeCalls() {
    DenseMap<const Loop *, int64_t> positions;
    for (const Loop *loop : loopsBefore.getLoopsInPreorder())
      positions.try_emplace(loop, int64_t(positions.size()));
    const DominatorTree &dominators = original.functions.getResult<DominatorTreeAnalysis>(before);
    int64_t n_direct = 0;
    for (BasicBlock &block : before)
      for (Instruction &instruction : block) {
        auto *call = dyn_cast<CallBase>(&instruction);
        if (!call || call->isInlineAsm() || (call->getCalledFunction() && call->getCalledFunction()->isIntrinsic()))
          continue;
        out.object([&] {
          if (const Function *callee = call->getCalledFunction()) {
            out.attribute("callee", json::fixUTF8(callee->getName()));
            out.attribute("position", n_direct++);
          } else {
            out.attribute("callee", "");
          }
          out.attribute("line", lineOf(call->getDebugLoc()));
          const Loop *loop = loopsBefore.getLoopFor(&block);
          if (loop)
            out.attribute("loop", positions.lookup(loop));
          out.attribute("always", isAlwaysReached(block, loop, dominators));
        });
      }
  }

  /// Whether each iteration of `loop` comes through `block`, or, where there is none, each call that returns.
  bool isAlwaysReached(BasicBlock &block, const Loop *loop, const DominatorTree &dominators) {
    SmallVector<BasicBlock *> ends;
    if (loop)
      loop->getLoopLatches(ends);
    else
      for (BasicBlock &end : before)
        if (isa<ReturnInst>(end.getTerminator()))
          ends.push_back(&end);
    return all_of(ends, [&](const BasicBlock *end) { return dominators.dominates(&block, end); });
  }

  /// Instructions that the profiled run executed in this function, where there is a profile.
  void writeProfile() {
    if (!before.hasProfileData())
      return;
    auto &frequencies = original.functions.getResult<BlockFrequencyAnalysis>(before);
    double executed = 0;
    for (const BasicBlock &block : before)
      executed += double(frequencies.getBlockProfileCount(&block).value_or(0)) * double(block.size());
    out.attribute("executed_instructions", executed);
  }

  /// The loops of the IR as it was, each with what is known of it in the simplified one: it may be gone there.
  void writeLoops() {
    DenseMap<unsigned, Loop *> found;
    if (simplified)
      for (Loop *loop : analyses.functions.getResult<LoopAnalysis>(*simplified).getLoopsInPreorder())
        if (auto position = positionOf(*loop))
          found.try_emplace(*position, loop); // a loop that was split keeps its outermost part
    DenseMap<const Loop *, int64_t> positions;
    for (Loop *loop : loopsBefore.getLoopsInPreorder()) {
      int64_t position = int64_t(positions.size());
      positions[loop] = position;
      out.object([&] {
        out.attribute("position", position);
        out.attribute("depth", int64_t(loop->getLoopDepth()));
        if (loop->getParentLoop())
          out.attribute("parent", positions.lookup(loop->getParentLoop()));
        writeLines(*loop);
        if (Loop *now = found.lookup(unsigned(position)))
          out.attributeObject("facts", [&] { writeLoop(out, *now, *simplified, analyses.functions); });
      });
    }
  }

  void writeLines(const Loop &loop) {
    int64_t first = lineOf(loop.getStartLoc()), last = first;
    for (const BasicBlock *block : loop.blocks())
      for (const Instruction &instruction : *block)
        if (int64_t line = lineOf(instruction.getDebugLoc())) {
          first = first ? std::min(first, line) : line;
          last = std::max(last, line);
        }
    out.attribute("first_line", first);
    out.attribute("last_line", last);
  }

  json::OStream &out;
  Function &before;
  Function *simplified;
  Analyses &original;
  Analyses &analyses;
  const LoopInfo &loopsBefore;
};

void writeIR(json::OStream &out, Module &module, Analyses &analyses) {
  for (Function &function : module) {
    if (function.isDeclaration())
      continue;
    std::string text;
    raw_string_ostream stream(text);
    BlockNotes notes(analyses.functions.getResult<LoopAnalysis>(function));
    function.print(stream, &notes);
    out.attributeObject(json::fixUTF8(function.getName()), [&] {
      out.attribute("instructions", int64_t(function.getInstructionCount()));
      out.attribute("blocks", int64_t(function.size()));
      out.attribute("used", function.hasNUsesOrMore(1));
      out.attribute("text", json::fixUTF8(text));
    });
  }
}

} // namespace

std::string summarizeModule(Module &module) {
  Analyses original, analyses; // before the copy, which must go before them
  std::unique_ptr<Module> copy = CloneModule(module);
  for (Function &function : *copy)
    if (!function.isDeclaration())
      tagLoops(function, analyses.functions.getResult<LoopAnalysis>(function));
  analyses.modules.clear();
  simplify(*copy, analyses.builder, analyses.modules);

  std::string text;
  raw_string_ostream stream(text);
  json::OStream out(stream);
  TargetLibraryInfoImpl libraryFunctions(module.getTargetTriple());
  out.object([&] {
    out.attribute("source", json::fixUTF8(module.getSourceFileName()));
    out.attribute("triple", module.getTargetTriple().str());
    out.attribute("instructions", int64_t(module.getInstructionCount()));
    out.attributeArray("library_functions", [&] {
      LibFunc known;
      for (const Function &function : module)
        if (function.isDeclaration() && (function.isIntrinsic() || libraryFunctions.getLibFunc(function, known)))
          out.value(json::fixUTF8(function.getName()));
    });
    out.attributeArray("symbols", [&] {
      for (const GlobalValue &symbol : module.global_values())
        if (symbol.hasName())
          out.value(json::fixUTF8(symbol.getName()));
    });
    out.attributeArray("functions", [&] {
      for (Function &function : module) {
        Function *simplified = copy->getFunction(function.getName());
        if (!function.isDeclaration())
          out.object([&] { FunctionSummary(out, function, original, simplified && !simplified->isDeclaration() ? simplified : nullptr, analyses).write(); });
      }
    });
    tidy(*copy, analyses.builder, analyses.modules);
    out.attributeObject("simplified", [&] { writeIR(out, *copy, analyses); });
  });
  analyses.modules.clear();
  return text;
}

} // namespace cc_agent
