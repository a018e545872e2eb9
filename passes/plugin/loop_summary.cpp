#include "loop_summary.h"

#include "simplified_module.h"
#include "llvm/Analysis/IVDescriptors.h"
#include "llvm/Analysis/LoopAccessAnalysis.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/Analysis/OptimizationRemarkEmitter.h"
#include "llvm/Analysis/ScalarEvolution.h"
#include "llvm/Analysis/ScalarEvolutionExpressions.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/DebugInfoMetadata.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Instructions.h"
#include <set>

using namespace llvm;

namespace cc_agent {
namespace {

template <typename Printable> std::string print(const Printable &printable) {
  std::string text;
  raw_string_ostream stream(text);
  stream << printable;
  return json::fixUTF8(text);
}

std::string nameOf(const Value &value) {
  std::string text;
  raw_string_ostream stream(text);
  value.printAsOperand(stream, /*PrintType=*/false);
  return json::fixUTF8(text);
}

/// The object that an address is in; one whose address was loaded is named after where that was.
std::string nameOfObject(const Value &pointer) {
  const Value *object = getUnderlyingObject(&pointer);
  auto *load = dyn_cast<LoadInst>(object);
  return load ? "*" + nameOf(*load->getPointerOperand()) : nameOf(*object);
}

StringRef nameOf(RecurKind kind) {
  switch (kind) {
  case RecurKind::Add:
  case RecurKind::Sub:
  case RecurKind::AddChainWithSubs:
    return "sum";
  case RecurKind::Mul:
    return "product";
  case RecurKind::Or:
    return "or";
  case RecurKind::And:
    return "and";
  case RecurKind::Xor:
    return "xor";
  case RecurKind::FAdd:
  case RecurKind::FMulAdd:
    return "floating-point sum";
  case RecurKind::FMul:
    return "floating-point product";
  case RecurKind::AnyOf:
    return "any-of";
  default:
    return RecurrenceDescriptor::isMinMaxRecurrenceKind(kind) ? "minimum or maximum" : "search for an index";
  }
}

class LoopWriter {
public:
  LoopWriter(json::OStream &out, Loop &loop, Function &function, FunctionAnalysisManager &functions)
      : out(out), loop(loop), function(function), functions(functions), evolution(functions.getResult<ScalarEvolutionAnalysis>(function)),
        loops(functions.getResult<LoopAnalysis>(function)), dominators(functions.getResult<DominatorTreeAnalysis>(function)) {}

  void write() {
    out.attribute("header", nameOf(*loop.getHeader()));
    out.attribute("innermost", loop.isInnermost());
    out.attribute("blocks", int64_t(loop.getNumBlocks()));
    writeCounts();
    out.attributeArray("exits", [&] { writeExits(); });
    out.attributeArray("carried", [&] { writeCarried(); });
    out.attributeArray("accesses", [&] { writeAccesses(); });
    out.attributeArray("calls", [&] { writeCalls(); });
    out.attributeArray("switches", [&] { writeSwitches(); });
    if (loop.isInnermost() && loop.isLoopSimplifyForm())
      out.attributeObject("dependences", [&] { writeDependences(); });
  }

private:
  /// Blocks of no deeper loop.
  bool isOwn(const BasicBlock *block) const { return loops.getLoopFor(block) == &loop; }

  void writeCounts() {
    int64_t instructions = 0;
    for (const BasicBlock *block : loop.blocks())
      if (isOwn(block))
        instructions += int64_t(block->size());
    out.attribute("instructions", instructions);
    if (unsigned count = evolution.getSmallConstantTripCount(&loop))
      out.attribute("trip_count", int64_t(count));
    else if (unsigned most = evolution.getSmallConstantMaxTripCount(&loop))
      out.attribute("trip_count_max", int64_t(most));
    const SCEV *taken = evolution.getBackedgeTakenCount(&loop);
    if (!isa<SCEVCouldNotCompute>(taken))
      out.attribute("trips", print(*evolution.getTripCountFromExitCount(taken, taken->getType(), &loop)));
  }

  void writeExits() {
    SmallVector<BasicBlock *> leaving;
    loop.getExitingBlocks(leaving);
    for (BasicBlock *block : leaving)
      out.object([&] {
        out.attribute("block", nameOf(*block));
        out.attribute("line", lineOf(block->getTerminator()->getDebugLoc()));
        out.attribute("latch", loop.isLoopLatch(block));
        out.attribute("counted", !isa<SCEVCouldNotCompute>(evolution.getExitCount(&loop, block)));
      });
  }

  /// The values that one iteration hands to the next.
  void writeCarried() {
    for (PHINode &phi : loop.getHeader()->phis())
      out.object([&] {
        out.attribute("name", nameOf(phi));
        out.attribute("type", print(*phi.getType()));
        InductionDescriptor induction;
        RecurrenceDescriptor recurrence;
        if (InductionDescriptor::isInductionPHI(&phi, &loop, &evolution, induction)) {
          out.attribute("kind", "induction");
          out.attribute("start", nameOf(*induction.getStartValue()));
          out.attribute("step", print(*induction.getStep()));
        } else if (loop.getLoopLatch() && loop.getLoopPreheader() &&
                   RecurrenceDescriptor::isReductionPHI(&phi, &loop, recurrence, nullptr, nullptr, &dominators, &evolution)) {
          out.attribute("kind", "reduction");
          out.attribute("operation", nameOf(recurrence.getRecurrenceKind()));
          out.attribute("ordered", recurrence.isOrdered() || recurrence.getExactFPMathInst() != nullptr);
        } else if (loop.getLoopLatch() && loop.getLoopPreheader() && RecurrenceDescriptor::isFixedOrderRecurrence(&phi, &loop, &dominators)) {
          out.attribute("kind", "previous");
        } else {
          out.attribute("kind", "serial");
        }
      });
  }

  void writeAccesses() {
    for (BasicBlock *block : loop.blocks()) {
      if (!isOwn(block))
        continue;
      bool always = loop.getLoopLatch() && dominators.dominates(block, loop.getLoopLatch());
      for (Instruction &instruction : *block)
        if (Value *pointer = const_cast<Value *>(getLoadStorePointerOperand(&instruction)))
          out.object([&] { writeAccess(instruction, *pointer, always); });
    }
  }

  void writeAccess(Instruction &instruction, Value &pointer, bool always) {
    Type *type = getLoadStoreType(&instruction);
    out.attribute("store", isa<StoreInst>(instruction));
    out.attribute("type", print(*type));
    out.attribute("bytes", int64_t(function.getDataLayout().getTypeStoreSize(type).getKnownMinValue()));
    out.attribute("line", lineOf(instruction.getDebugLoc()));
    out.attribute("always", always);
    out.attribute("volatile", instruction.isVolatile() || instruction.isAtomic());
    const SCEV *address = evolution.getSCEV(&pointer);
    auto *base = dyn_cast<SCEVUnknown>(evolution.getPointerBase(address));
    out.attribute("base", nameOfObject(base ? *base->getValue() : pointer));
    // From the inside out: by how much the address moves when each loop takes one step.
    out.attributeArray("strides", [&] {
      for (Loop *around = &loop; around; around = around->getParentLoop())
        out.value(strideIn(*around, address));
    });
  }

  std::string strideIn(Loop &around, const SCEV *address) {
    bool mayWrap = false;
    const SCEV *stride = stepOf(*address, around, mayWrap);
    if (!stride)
      return "?";
    return (mayWrap && !stride->isZero() ? "~" : "") + print(*stride);
  }

  /// By how much a value grows with each iteration of `around`, inner loops standing still; null where that is not known.
  /// `mayWrap`: only as long as a narrower value in it does not wrap around.
  const SCEV *stepOf(const SCEV &value, Loop &around, bool &mayWrap) {
    Type *type = evolution.getEffectiveSCEVType(value.getType());
    if (evolution.isLoopInvariant(&value, &around))
      return evolution.getZero(type);
    if (auto *recurrence = dyn_cast<SCEVAddRecExpr>(&value)) {
      if (recurrence->getLoop() == &around)
        return recurrence->isAffine() ? recurrence->getStepRecurrence(evolution) : nullptr;
      return around.contains(recurrence->getLoop()) ? stepOf(*recurrence->getStart(), around, mayWrap) : nullptr;
    }
    if (auto *sum = dyn_cast<SCEVAddExpr>(&value)) {
      const SCEV *total = evolution.getZero(type);
      for (const SCEV *operand : sum->operands()) {
        const SCEV *step = stepOf(*operand, around, mayWrap);
        if (!step)
          return nullptr;
        total = evolution.getAddExpr(total, step);
      }
      return total;
    }
    if (auto *product = dyn_cast<SCEVMulExpr>(&value)) {
      const SCEV *factor = evolution.getOne(type), *step = nullptr;
      for (const SCEV *operand : product->operands()) {
        bool isConstant = evolution.isLoopInvariant(operand, &around);
        if (!isConstant && step)
          return nullptr;
        if (isConstant)
          factor = evolution.getMulExpr(factor, operand);
        else if (!(step = stepOf(*operand, around, mayWrap)))
          return nullptr;
      }
      return evolution.getMulExpr(factor, step);
    }
    if (isa<SCEVZeroExtendExpr, SCEVSignExtendExpr>(&value)) {
      auto &extension = cast<SCEVCastExpr>(value);
      if (evolution.getTypeSizeInBits(extension.getOperand()->getType()) < 32)
        return nullptr; // what is as narrow as this is likely to wrap
      mayWrap = true;
      const SCEV *step = stepOf(*extension.getOperand(), around, mayWrap);
      return step ? evolution.getSignExtendExpr(step, type) : nullptr;
    }
    return nullptr;
  }

  void writeCalls() {
    for (BasicBlock *block : loop.blocks())
      for (Instruction &instruction : *block)
        if (auto *call = dyn_cast<CallBase>(&instruction); call && isOwn(block) && (!isa<IntrinsicInst>(call) || isa<MemIntrinsic>(call)))
          out.object([&] {
            const Function *callee = call->getCalledFunction();
            out.attribute("callee", call->isInlineAsm() ? "asm" : callee ? json::fixUTF8(callee->getName()) : "");
            out.attribute("line", lineOf(call->getDebugLoc()));
          });
  }

  void writeSwitches() {
    for (BasicBlock *block : loop.blocks())
      if (auto *choice = dyn_cast<SwitchInst>(block->getTerminator()); choice && isOwn(block))
        out.object([&] {
          out.attribute("cases", int64_t(choice->getNumCases()));
          out.attribute("line", lineOf(choice->getDebugLoc()));
        });
  }

  void writeDependences() {
    const LoopAccessInfo &accesses = functions.getResult<LoopAccessAnalysis>(function).getInfo(loop);
    const MemoryDepChecker &checker = accesses.getDepChecker();
    out.attribute("vectorizable", accesses.canVectorizeMemory());
    if (accesses.getReport())
      out.attribute("reason", json::fixUTF8(accesses.getReport()->getMsg()));
    if (!checker.isSafeForAnyVectorWidth())
      out.attribute("safe_bits", int64_t(checker.getMaxSafeVectorWidthInBits()));
    out.attribute("runtime_checks", int64_t(accesses.getNumRuntimePointerChecks()));
    std::set<std::string> compared;
    if (accesses.getNumRuntimePointerChecks())
      for (const auto &pointer : accesses.getRuntimePointerChecking()->Pointers)
        compared.insert(nameOfObject(*pointer.PointerValue));
    out.attributeArray("compared", [&] {
      for (const std::string &name : compared)
        out.value(name);
    });
    out.attributeArray("pairs", [&] {
      if (!checker.getDependences())
        return;
      for (const auto &dependence : *checker.getDependences())
        if (dependence.Type != MemoryDepChecker::Dependence::NoDep)
          out.object([&] {
            out.attribute("type", MemoryDepChecker::Dependence::DepName[dependence.Type]);
            out.attribute("from", lineOf(dependence.getSource(checker)->getDebugLoc()));
            out.attribute("to", lineOf(dependence.getDestination(checker)->getDebugLoc()));
          });
    });
  }

  json::OStream &out;
  Loop &loop;
  Function &function;
  FunctionAnalysisManager &functions;
  ScalarEvolution &evolution;
  LoopInfo &loops;
  DominatorTree &dominators;
};

} // namespace

int64_t lineOf(const DebugLoc &location) {
  const DILocation *place = location.get();
  while (place && place->getInlinedAt())
    place = place->getInlinedAt();
  return place ? place->getLine() : 0;
}

void writeLoop(json::OStream &out, Loop &loop, Function &function, FunctionAnalysisManager &functions) {
  LoopWriter(out, loop, function, functions).write();
}

} // namespace cc_agent
