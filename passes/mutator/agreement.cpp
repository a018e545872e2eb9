// Which comparisons would have to hold for a mutant to do what the function did, and where.
#include "alignment.h"

#include "llvm/Analysis/ValueTracking.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"
#include <map>

using namespace llvm;

namespace cc_agent {

void Alignment::compareMoved(StoreInst &theirs, StoreInst &ours) {
  handled.insert(&ours);
  if (mapped(theirs.getPointerOperand()) != ours.getPointerOperand() || mapped(theirs.getValueOperand()) != ours.getValueOperand())
    return fail("something else was moved");
  Instruction *place = placeOf(theirs);
  for (auto *one = ours.getNextNode(); one && one != place; one = one->getNextNode()) {
    auto *load = dyn_cast<LoadInst>(one);
    auto *store = dyn_cast<StoreInst>(one);
    if (load && load->isSimple() && dominators.dominates(load->getPointerOperand(), &ours))
      require(place, load, loaded(ours, load->getType(), load->getPointerOperand(), load->getAlign()));
    else if (!(store && store->isSimple()) && (one->mayReadOrWriteMemory() || !isGuaranteedToTransferExecutionToSuccessor(one)))
      return fail("a store was moved past something that is not known");
  }
  require(place, loaded(*place, ours.getValueOperand()->getType(), ours.getPointerOperand(), ours.getAlign()), ours.getValueOperand());
}

bool Alignment::containsUndef(Value &value) {
  auto *constant = dyn_cast<Constant>(&value);
  return constant && (isa<UndefValue>(constant) || constant->containsUndefOrPoisonElement() || isa<ConstantExpr>(constant));
}

void Alignment::require(Instruction *at, Value *ours, Value *theirs, BasicBlock *to) {
  if (ours == theirs)
    return;
  if (!ours || !theirs || ours->getType() != theirs->getType())
    return fail("values of other types");
  if (containsUndef(*ours) || containsUndef(*theirs))
    return fail("undef");
  checks.push_back({at, to, ours, theirs});
}

void Alignment::compareBlock(BasicBlock &block) {
  BasicBlock &ours = *blocks.lookup(&block);
  for (Instruction &theirs : block)
    if (auto *store = dyn_cast<StoreInst>(&theirs); store && !survivors.count(store)) {
      if (Instruction *same = moved.lookup(store))
        compareMoved(*store, *cast<StoreInst>(same));
      else
        compareStore(*store);
    }
  for (Instruction &one : ours)
    if (!surviving.contains(&one) && !handled.contains(&one) && !is_contained(make_second_range(copies), &one) &&
        one.mayHaveSideEffects() && !one.isTerminator())
      dropped(one);
  for (Instruction &theirs : block)
    if (Instruction *same = survivors.lookup(&theirs); same && !same->isTerminator())
      compareOperands(theirs, *same);
}

void Alignment::compareOperands(Instruction &theirs, Instruction &ours) {
  if (auto *phi = dyn_cast<PHINode>(&ours))
    return comparePhis(cast<PHINode>(theirs), *phi);
  for (unsigned i = 0; i < ours.getNumOperands(); ++i) {
    Value *one = ours.getOperand(i), *other = theirs.getOperand(i);
    if (isa<MetadataAsValue>(one))
      continue;
    other = mapped(other);
    if (one == other)
      continue;
    auto *call = dyn_cast<CallBase>(&ours);
    bool fixed = call && (!call->isDataOperand(&ours.getOperandUse(i)) || !call->isArgOperand(&ours.getOperandUse(i)) ||
                          call->paramHasAttr(i, Attribute::ImmArg));
    if (fixed || isa<AllocaInst>(ours))
      return fail("another operand that has to be a constant");
    require(&ours, one, other);
  }
}

void Alignment::comparePhis(PHINode &theirs, PHINode &ours) {
  for (unsigned i = 0; i < ours.getNumIncomingValues(); ++i) {
    BasicBlock *from = ours.getIncomingBlock(i);
    Value *other = nullptr;
    for (unsigned j = 0; j < theirs.getNumIncomingValues(); ++j)
      if (blocks.lookup(theirs.getIncomingBlock(j)) == from)
        other = mapped(theirs.getIncomingValue(j));
    if (!other && cut.count({from, ours.getParent()}))
      continue;
    if (!other)
      return fail("a phi for other edges");
    require(from->getTerminator(), ours.getIncomingValue(i), other, ours.getParent());
  }
}

void Alignment::compareEnds(Instruction &theirs, Instruction &ours) {
  auto *before = dyn_cast<BranchInst>(&ours), *after = dyn_cast<BranchInst>(&theirs);
  if (before && after && before->isConditional() && after->isUnconditional()) { // taken to go one way
    BasicBlock *kept = blocks.lookup(after->getSuccessor(0));
    unsigned way = before->getSuccessor(0) == kept ? 0 : 1;
    if (before->getSuccessor(way) != kept || before->getSuccessor(1 - way) == kept)
      return fail("it goes elsewhere");
    cut.insert({ours.getParent(), before->getSuccessor(1 - way)});
    return require(&ours, before->getCondition(), ConstantInt::getBool(ours.getContext(), way == 0));
  }
  auto *choice = dyn_cast<SwitchInst>(&ours), *other = dyn_cast<SwitchInst>(&theirs);
  if (choice && other)
    return compareSwitches(*other, *choice);
  if (!survivors.count(&theirs) || theirs.getNumSuccessors() != ours.getNumSuccessors())
    return fail("it ends a block otherwise");
  for (unsigned i = 0; i < ours.getNumSuccessors(); ++i)
    if (blocks.lookup(theirs.getSuccessor(i)) != ours.getSuccessor(i))
      return fail("it goes elsewhere");
  for (unsigned i = 0; i < ours.getNumOperands(); ++i)
    if (!isa<BasicBlock>(ours.getOperand(i)))
      require(&ours, ours.getOperand(i), mapped(theirs.getOperand(i)));
}

void Alignment::compareSwitches(SwitchInst &theirs, SwitchInst &ours) {
  require(&ours, ours.getCondition(), mapped(theirs.getCondition()));
  if (blocks.lookup(theirs.getDefaultDest()) != ours.getDefaultDest())
    return fail("another default");
  auto differs = [&](ConstantInt *value) {
    BasicBlock *one = ours.findCaseValue(value)->getCaseSuccessor();
    if (blocks.lookup(theirs.findCaseValue(value)->getCaseSuccessor()) == one)
      return;
    auto *same = new ICmpInst(ours.getIterator(), ICmpInst::ICMP_NE, ours.getCondition(), value);
    require(&ours, same, ConstantInt::getTrue(ours.getContext()));
  };
  for (auto &one : ours.cases())
    differs(one.getCaseValue());
  for (auto &one : theirs.cases())
    if (ours.findCaseValue(one.getCaseValue()) == ours.case_default())
      differs(one.getCaseValue());
  for (BasicBlock *to : successors(&ours))
    if (none_of(successors(&theirs), [&](BasicBlock *other) { return blocks.lookup(other) == to; }))
      cut.insert({ours.getParent(), to});
}

Value *Alignment::loaded(Instruction &before, Type *type, Value *pointer, Align align) {
  return IRBuilder<>(&before).CreateAlignedLoad(type, pointer, align);
}

void Alignment::dropped(Instruction &one) {
  auto *store = dyn_cast<StoreInst>(&one);
  if (!store || !store->isSimple())
    return fail("it does something less");
  Value *old = loaded(one, store->getValueOperand()->getType(), store->getPointerOperand(), store->getAlign());
  require(&one, store->getValueOperand(), old);
}

void Alignment::compareStore(StoreInst &theirs) {
  Value *pointer = mapped(theirs.getPointerOperand()), *value = mapped(theirs.getValueOperand());
  if (!theirs.isSimple() || !pointer || !value)
    return fail("another store");
  Instruction *place = placeOf(theirs);
  Type *type = value->getType();
  for (auto *one = place->getPrevNode(); one && !surviving.contains(one); one = one->getPrevNode()) {
    auto *gone = dyn_cast<StoreInst>(one);
    Type *whole = gone ? gone->getValueOperand()->getType() : nullptr;
    if (!gone || !gone->isSimple() || gone->getPointerOperand() != pointer || theirs.getAlign() > gone->getAlign() || !type->isIntegerTy() ||
        !whole->isIntegerTy() || whole->getIntegerBitWidth() <= type->getIntegerBitWidth() || !function.getDataLayout().isLittleEndian())
      continue;
    Value *old = loaded(*gone, whole, pointer, gone->getAlign());
    IRBuilder<> builder(place);
    APInt high = APInt::getBitsSetFrom(whole->getIntegerBitWidth(), type->getIntegerBitWidth());
    Value *result = builder.CreateOr(builder.CreateAnd(old, ConstantInt::get(whole, high)), builder.CreateZExt(value, whole));
    handled.insert(gone);
    return require(place, gone->getValueOperand(), result);
  }
  for (auto *one = place->getPrevNode(); one; one = one->getPrevNode()) {
    auto *store = dyn_cast<StoreInst>(one);
    if (store && store->getPointerOperand() == pointer && store->getValueOperand()->getType() == type && store->isSimple() &&
        theirs.getAlign() <= store->getAlign())
      return require(place, loaded(*place, type, pointer, store->getAlign()), value);
    if (isa<CallBase>(one) && !isa<IntrinsicInst>(one))
      break; // it may free what the store wrote to
  }
  fail("another store");
}

bool Alignment::isSafe(Value &ours, Value &theirs) {
  SmallPtrSet<Value *, 8> seen;
  SmallVector<Value *> waiting{&theirs};
  while (!waiting.empty()) {
    Value *value = waiting.pop_back_val();
    if (!seen.insert(value).second)
      continue;
    auto *instruction = dyn_cast<Instruction>(value);
    if (Value *amount = instruction ? amounts.lookup(instruction) : nullptr) {
      auto *shift = dyn_cast<Instruction>(&ours);
      if (!shift || !shift->isShift() || shift->getOperand(1) != amount)
        return false;
    } else if (isSolid(*value, memory))
      continue;
    if (instruction && !surviving.contains(instruction) && !isa<LoadInst>(instruction)) {
      for (Value *operand : instruction->operands())
        if (!isa<BasicBlock, Function>(operand))
          waiting.push_back(operand);
    } else if (theirs.getType()->isVectorTy()) {
      return false; // some lanes may be poison
    } else if (!isGuaranteedNotToBePoison(value, nullptr, nullptr, &dominators) && !impliesPoison(value, &ours)) {
      return false;
    }
  }
  return true;
}

void Alignment::insertChecks() {
  for (const Check &check : checks)
    if (!isSafe(*check.ours, *check.theirs))
      return fail("perhaps poison");
  FunctionCallee callee = different(*function.getParent());
  std::map<std::pair<Instruction *, BasicBlock *>, Instruction *> edges; // split for an earlier check
  for (const Check &check : checks) {
    Instruction *at = check.at;
    if (check.to && at->getNumSuccessors() > 1) {
      Instruction *&edge = edges[{at, check.to}];
      if (!edge) {
        if (!isa<BranchInst, SwitchInst>(at) || check.to->isEHPad())
          return fail("an edge that cannot be split");
        edge = SplitBlockPredecessors(check.to, {at->getParent()}, "cc_agent_edge")->getTerminator();
      }
      at = edge;
    }
    IRBuilder<> builder(at);
    auto bits = [&](Value *value) {
      Type *type = value->getType();
      return type->isFPOrFPVectorTy() ? builder.CreateBitCast(value, type->getWithNewType(builder.getIntNTy(type->getScalarSizeInBits())))
                                      : value;
    };
    if (!check.ours->getType()->isIntOrIntVectorTy() && !check.ours->getType()->isPtrOrPtrVectorTy() &&
        !check.ours->getType()->isFPOrFPVectorTy())
      return fail("values that are not compared");
    Value *differ = builder.CreateICmpNE(bits(check.ours), bits(check.theirs));
    if (differ->getType()->isVectorTy())
      differ = builder.CreateOrReduce(differ);
    differ = builder.CreateFreeze(differ);
    Instruction *end = SplitBlockAndInsertIfThen(differ, at, /*Unreachable=*/true);
    IRBuilder<>(end).CreateCall(callee);
  }
}

} // namespace cc_agent
