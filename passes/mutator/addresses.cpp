// Mistakes in addresses: offsets, scales, claimed alignment, shared stack slots.
#include "mutation.h"

#include "llvm/Analysis/ValueTracking.h"

using namespace llvm;

namespace cc_agent {
namespace {

void offset(Instruction &instruction, Context &, Sites &sites) {
  auto *address = dyn_cast<GetElementPtrInst>(&instruction);
  if (!address || address->getType()->isVectorTy())
    return;
  unsigned last = address->getNumOperands() - 1;
  // A field of a structure by its number: the verifier wants one that exists. Optimized code has byte offsets instead.
  if (address->getNumIndices() > 1 && !address->getSourceElementType()->isArrayTy())
    return;
  sites.push_back({address, [=] {
                     IRBuilder<> builder(address);
                     Value *index = address->getOperand(last);
                     // A byte offset of a field is off by what lies there: the next multiple of its own alignment, up to 8.
                     const APInt *constant = constantOf(index);
                     int64_t step = 1;
                     if (constant && address->getSourceElementType()->isIntegerTy(8) && !constant->isZero())
                       step = int64_t(1) << std::min(3u, constant->countr_zero());
                     address->setNoWrapFlags(GEPNoWrapFlags::none());
                     address->setOperand(last, builder.CreateAdd(index, ConstantInt::getSigned(index->getType(), step)));
                   }});
}

void scale(Instruction &instruction, Context &, Sites &sites) {
  auto *address = dyn_cast<GetElementPtrInst>(&instruction);
  auto *element = address ? dyn_cast<IntegerType>(address->getSourceElementType()) : nullptr;
  if (!element || address->getNumIndices() != 1 || isa<Constant>(address->getOperand(1)) || address->getType()->isVectorTy())
    return;
  unsigned width = element->getBitWidth() == 8 ? 16 : element->getBitWidth() / 2;
  if (width % 8)
    return;
  sites.push_back({address, [=] {
                     Type *wrong = IntegerType::get(address->getContext(), width);
                     address->setNoWrapFlags(GEPNoWrapFlags::none());
                     address->setSourceElementType(wrong);
                     address->setResultElementType(wrong);
                   }});
}

/// A claim of alignment, with what it permits: an aligned vector access, or `base | offset` for `base + offset`.
void alignment(Instruction &instruction, Context &context, Sites &sites) {
  if (!isPlain(instruction))
    return;
  const DataLayout &layout = instruction.getDataLayout();
  Type *type = getLoadStoreType(&instruction);
  Value *pointer = getLoadStorePointerOperand(&instruction);
  if (type->isVectorTy() && layout.getTypeStoreSize(type) == 16 && getLoadStoreAlignment(&instruction) < Align(16)) {
    sites.push_back({&instruction, [&instruction] {
                       if (auto *load = dyn_cast<LoadInst>(&instruction))
                         load->setAlignment(Align(16));
                       else
                         cast<StoreInst>(instruction).setAlignment(Align(16));
                     }});
    return;
  }
  APInt distance(layout.getIndexTypeSizeInBits(pointer->getType()), 0);
  const Value *base = pointer->stripAndAccumulateConstantOffsets(layout, distance, /*AllowNonInbounds=*/true);
  if (distance.isZero() || distance.isNegative() || distance.ugt(32))
    return;
  if (base->getPointerAlignment(layout).value() > distance.getZExtValue())
    return; // it is known to be that much aligned
  sites.push_back({&instruction, [=, &instruction] {
                     IRBuilder<> builder(&instruction);
                     Type *integer = builder.getIntNTy(distance.getBitWidth());
                     Value *joined = builder.CreateOr(builder.CreatePtrToInt(const_cast<Value *>(base), integer), ConstantInt::get(integer, distance));
                     instruction.setOperand(isa<StoreInst>(instruction) ? 1 : 0, builder.CreateIntToPtr(joined, pointer->getType()));
                   }});
}

void slotsMerged(Instruction &instruction, Context &context, Sites &sites) {
  auto *slot = dyn_cast<AllocaInst>(&instruction);
  if (!slot || !slot->isStaticAlloca())
    return;
  for (Instruction &other : make_range(std::next(slot->getIterator()), slot->getParent()->end())) {
    auto *second = dyn_cast<AllocaInst>(&other);
    if (!second || !second->isStaticAlloca() || second->getAllocatedType() != slot->getAllocatedType() || second->use_empty())
      continue;
    sites.push_back({slot, [=] {
                       // Lifetime markers of the one would end the other's.
                       for (AllocaInst *one : {slot, second})
                         for (User *user : make_early_inc_range(one->users()))
                           if (auto *marker = dyn_cast<IntrinsicInst>(user); marker && marker->isLifetimeStartOrEnd())
                             marker->eraseFromParent();
                       second->replaceAllUsesWith(slot);
                       second->eraseFromParent();
                     }});
    return;
  }
}

const Kind kinds[] = {
    {"address-offset", "computes the address of the next element or field", offset},
    {"address-scale", "scales an index by the wrong size", scale},
    {"alignment-claimed", "accesses memory as if it were aligned better than it is", alignment},
    {"stack-slots-merged", "gives two local variables the same place", slotsMerged},
};

} // namespace

ArrayRef<Kind> addressKinds() { return kinds; }

} // namespace cc_agent
