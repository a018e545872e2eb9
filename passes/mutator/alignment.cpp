// Which instructions a function and its mutant share, and what only the mutant has, computed beside what the function has.
#include "alignment.h"

#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/Operator.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Transforms/Utils/Cloning.h"

using namespace llvm;

namespace cc_agent {

std::string Alignment::run() {
  pair();
  copyNew();
  for (BasicBlock &block : mutant)
    if (problem.empty())
      compareEnds(*block.getTerminator(), *blocks.lookup(&block)->getTerminator());
  for (BasicBlock &block : mutant)
    if (problem.empty())
      compareBlock(block);
  if (problem.empty() && checks.empty())
    problem = "nothing that could be compared";
  if (problem.empty()) {
    memory = storesSolid(function);
    isolate(*snapshot.module, function);
    insertChecks();
  }
  return problem;
}

void Alignment::fail(const Twine &why) {
  if (problem.empty())
    problem = why.str();
}

void Alignment::pair() {
  for (auto &[handle, block] : snapshot.blocks)
    if (handle)
      blocks[cast<BasicBlock>(handle)] = block;
  for (auto &[handle, ours] : snapshot.instructions) {
    auto *theirs = handle ? cast<Instruction>(handle) : nullptr;
    if (!theirs || !theirs->getParent() || blocks.lookup(theirs->getParent()) != ours->getParent())
      continue;
    bool phis = isa<PHINode>(theirs) && isa<PHINode>(ours) && theirs->getType() == ours->getType();
    if (phis || (theirs->isSameOperationAs(ours) && theirs->hasSameSubclassOptionalData(ours))) {
      survivors[theirs] = ours;
      surviving.insert(ours);
    }
  }
  for (BasicBlock &block : mutant) {
    const Instruction *last = nullptr;
    for (Instruction &theirs : make_early_inc_range(block))
      if (Instruction *ours = survivors.lookup(&theirs); ours && !isa<PHINode>(ours)) {
        if (!last || last->comesBefore(ours)) {
          last = ours;
          continue;
        }
        if (!isa<StoreInst>(theirs) || !cast<StoreInst>(theirs).isSimple() || !moved.empty())
          return fail("something was moved");
        moved[&theirs] = ours;
        survivors.erase(&theirs);
        surviving.erase(ours);
      }
  }
}

Value *Alignment::mapped(Value *value) {
  if (auto *instruction = dyn_cast<Instruction>(value)) {
    if (Instruction *ours = survivors.lookup(instruction))
      return ours;
    return copies.lookup(instruction);
  }
  if (auto *block = dyn_cast<BasicBlock>(value))
    return blocks.lookup(block);
  auto *intrinsic = dyn_cast<Function>(value); // perhaps declared by the mistake
  if (intrinsic && intrinsic->isIntrinsic())
    return snapshot.module->getOrInsertFunction(intrinsic->getName(), intrinsic->getFunctionType(), intrinsic->getAttributes()).getCallee();
  return MapValue(value, snapshot.outer, RF_NullMapMissingGlobalValues);
}

Instruction *Alignment::placeOf(Instruction &theirs) {
  BasicBlock *block = blocks.lookup(theirs.getParent());
  if (isa<PHINode>(theirs))
    return &block->front();
  for (Instruction *next = theirs.getNextNode(); next; next = next->getNextNode())
    if (Instruction *ours = survivors.lookup(next); ours && !isa<PHINode>(ours))
      return ours;
  return block->getTerminator();
}

void Alignment::copyNew() {
  for (BasicBlock &block : mutant) {
    if (!blocks.count(&block))
      return fail("it has another block");
    for (Instruction &theirs : block)
      if (!survivors.count(&theirs) && !theirs.isTerminator() && !isa<StoreInst>(theirs)) {
        if (theirs.mayHaveSideEffects() || isa<CallInst>(theirs) != isa<IntrinsicInst>(theirs) || isa<AllocaInst>(theirs))
          return fail("it does something else");
        Instruction *copy = theirs.clone();
        copy->dropPoisonGeneratingAnnotations();
        copy->dropUBImplyingAttrsAndUnknownMetadata();
        copy->insertBefore(placeOf(theirs)->getIterator());
        copies[&theirs] = copy;
      }
  }
  for (auto [theirs, copy] : copies) {
    for (Use &use : copy->operands()) {
      Value *value = mapped(use.get());
      if (!value)
        return fail("an operand that is not there");
      use.set(value);
    }
    if (auto *phi = dyn_cast<PHINode>(copy)) {
      for (unsigned i = 0; i < phi->getNumIncomingValues(); ++i)
        phi->setIncomingBlock(i, blocks.lookup(phi->getIncomingBlock(i)));
      if (phi->getNumIncomingValues() != pred_size(phi->getParent()))
        return fail("a phi for other edges");
    }
  }
  for (auto [theirs, copy] : copies) {
    const auto *operation = cast<Operator>(copy);
    bool shift = copy->isShift() && !isa<Constant>(copy->getOperand(1));
    if (shift && !(copy->getType()->isIntegerTy() && isPowerOf2_32(copy->getType()->getIntegerBitWidth())))
      return fail("a shift by a variable");
    if (shift) {
      amounts[copy] = copy->getOperand(1);
      copy->setOperand(1, IRBuilder<>(copy).CreateAnd(copy->getOperand(1), copy->getType()->getIntegerBitWidth() - 1));
    } else if (canCreatePoison(operation) && !isa<LoadInst>(copy))
      return fail("something that may be poison");
    if (!isa<PHINode>(copy) && !isSafeToSpeculativelyExecute(copy, copy, nullptr, &dominators) && !isCovered(*copy))
      return fail("something that may have no meaning there");
  }
}

bool Alignment::isCovered(Instruction &copy) {
  auto *load = dyn_cast<LoadInst>(&copy);
  if (!load || !load->isSimple())
    return false;
  const DataLayout &layout = function.getDataLayout();
  int64_t offset = 0, other = 0;
  const Value *base = GetPointerBaseWithConstantOffset(load->getPointerOperand(), offset, layout);
  auto covers = [&](Instruction &one) {
    auto *gone = dyn_cast<LoadInst>(&one);
    if (!gone || surviving.contains(gone) || is_contained(make_second_range(copies), gone) || !gone->isSimple() ||
        GetPointerBaseWithConstantOffset(gone->getPointerOperand(), other, layout) != base)
      return false;
    int64_t bytes = layout.getTypeStoreSize(load->getType()), there = layout.getTypeStoreSize(gone->getType());
    bool aligned = load->getAlign() <= commonAlignment(gone->getAlign(), offset - other);
    return aligned && other <= offset && offset + bytes <= other + there;
  };
  for (auto *one = copy.getPrevNode(); one && !surviving.contains(one); one = one->getPrevNode())
    if (covers(*one))
      return true;
  for (auto *one = copy.getNextNode(); one && !surviving.contains(one); one = one->getNextNode())
    if (covers(*one))
      return true;
  return false;
}

Snapshot::Snapshot(Module &original, Function &chosen)
    : module(CloneModule(original, all)), function(*cast<Function>(static_cast<Value *>(all[&chosen]))) {
  for (GlobalValue &global : original.global_values())
    outer[&global] = static_cast<Value *>(all[&global]);
  for (Argument &argument : chosen.args())
    outer[&argument] = static_cast<Value *>(all[&argument]);
  for (BasicBlock &block : chosen) {
    blocks.emplace_back(&block, cast<BasicBlock>(static_cast<Value *>(all[&block])));
    for (Instruction &instruction : block)
      instructions.emplace_back(&instruction, cast<Instruction>(static_cast<Value *>(all[&instruction])));
  }
  all.clear();
}

std::string addChecks(Snapshot &snapshot, Function &mutant) {
  std::string problem = Alignment(snapshot, mutant).run();
  std::string complaint;
  raw_string_ostream stream(complaint);
  if (problem.empty() && verifyModule(*snapshot.module, &stream))
    return "the checks do not verify: " + complaint;
  return problem;
}

} // namespace cc_agent
