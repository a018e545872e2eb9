// Mistakes in where a loaded value comes from, and when it is loaded.
#include "mutation.h"

#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/PatternMatch.h"

using namespace llvm;
using namespace llvm::PatternMatch;

namespace cc_agent {
namespace {

constexpr unsigned farthest = 64; // instructions that are looked at in a block

/// An earlier load of the same place, or a store to it, with something in between that may write there: taken to be current still,
/// as a wrong aliasing claim (noalias, restrict, TBAA) permits.
void clobberIgnored(Instruction &instruction, Context &context, Sites &sites) {
  auto *load = dyn_cast<LoadInst>(&instruction);
  if (!load || !load->isSimple())
    return;
  bool clobbered = false;
  unsigned looked = 0;
  auto look = [&](Instruction &earlier) -> bool {
    Value *known = nullptr;
    if (auto *other = dyn_cast<LoadInst>(&earlier); other && other->getPointerOperand() == load->getPointerOperand())
      known = other;
    else if (auto *store = dyn_cast<StoreInst>(&earlier); store && store->getPointerOperand() == load->getPointerOperand())
      known = store->getValueOperand();
    if (known && known->getType() == load->getType()) {
      if (clobbered && known != load)
        sites.push_back({load, [=] { replace(*load, known); }});
      return true;
    }
    clobbered = clobbered || (earlier.mayWriteToMemory() && isModSet(context.aliases.getModRefInfo(&earlier, MemoryLocation::get(load))));
    return ++looked > farthest;
  };
  BasicBlock *block = load->getParent();
  for (auto it = std::next(load->getReverseIterator()); it != block->rend(); ++it)
    if (look(*it))
      return;
  // On into the blocks that lead here, one after the other.
  for (BasicBlock *before = block->getSinglePredecessor(); before && looked <= farthest; before = before->getSinglePredecessor())
    for (Instruction &earlier : reverse(*before))
      if (look(earlier))
        return;
}

void wrongStore(Instruction &instruction, Context &context, Sites &sites) {
  auto *load = dyn_cast<LoadInst>(&instruction);
  if (!load || !load->isSimple())
    return;
  unsigned looked = 0;
  for (BasicBlock *block = load->getParent(); block; block = block->getSinglePredecessor())
    for (auto it = block == load->getParent() ? std::next(load->getReverseIterator()) : block->rbegin(); it != block->rend(); ++it) {
      auto *store = dyn_cast<StoreInst>(&*it);
      if (store && store->getPointerOperand() != load->getPointerOperand() && store->getValueOperand()->getType() == load->getType()) {
        sites.push_back({load, [=] { replace(*load, store->getValueOperand()); }});
        return;
      }
      if (++looked > farthest)
        return;
    }
}

/// Hoisted over a check of its own pointer or index. Volatile, so that code generation does not sink it back.
void hoistedOverGuard(Instruction &instruction, Context &context, Sites &sites) {
  auto *load = dyn_cast<LoadInst>(&instruction);
  BranchInst *guard = load && load->isSimple() ? guardOf(*load, context) : nullptr;
  auto *check = guard ? dyn_cast<ICmpInst>(guard->getCondition()) : nullptr;
  if (!check)
    return;
  SmallPtrSet<const Value *, 8> needed{load->getPointerOperand(), getUnderlyingObject(load->getPointerOperand())};
  if (auto *address = dyn_cast<GetElementPtrInst>(load->getPointerOperand()))
    for (Value *index : address->operands()) {
      Value *inner = index;
      while (isa<CastInst>(inner) && !isa<Constant>(inner))
        inner = cast<CastInst>(inner)->getOperand(0);
      needed.insert(inner);
      needed.insert(index);
    }
  if (none_of(check->operands(), [&](Value *operand) { return !isa<Constant>(operand) && needed.contains(operand); }))
    return;
  sites.push_back({load, [=] {
                     load->moveBefore(guard->getIterator());
                     load->setVolatile(true);
                   }});
}

void loadTooWide(Instruction &instruction, Context &, Sites &sites) {
  auto *load = dyn_cast<LoadInst>(&instruction);
  if (!load || !load->isSimple() || !load->getType()->isIntegerTy())
    return;
  unsigned width = load->getType()->getIntegerBitWidth();
  if (width != 8 && width != 16 && width != 32)
    return;
  // The bytes from the wrong end of a wider load: right on a machine of the other byte order.
  sites.push_back({load, [=] {
                     rebuild(*load, [&](IRBuilder<> &builder) {
                       Value *wide = builder.CreateAlignedLoad(builder.getIntNTy(width * 2), load->getPointerOperand(), Align(1));
                       return builder.CreateTrunc(builder.CreateLShr(wide, width), load->getType());
                     });
                   }});
}

void loadNarrowed(Instruction &instruction, Context &, Sites &sites) {
  auto *load = dyn_cast<LoadInst>(&instruction);
  if (!load || !load->isSimple() || !load->getType()->isIntegerTy())
    return;
  unsigned width = load->getType()->getIntegerBitWidth();
  if (width != 16 && width != 32 && width != 64)
    return;
  sites.push_back({load, [=] {
                     rebuild(*load, [&](IRBuilder<> &builder) {
                       Value *narrow = builder.CreateAlignedLoad(builder.getIntNTy(width / 2), load->getPointerOperand(), load->getAlign());
                       return builder.CreateZExt(narrow, load->getType());
                     });
                   }});
}

const Kind kinds[] = {
    {"load-clobber-ignored", "takes a value to be in memory still that may have been overwritten", clobberIgnored},
    {"load-from-wrong-store", "takes the value that was stored elsewhere", wrongStore},
    {"load-hoisted-over-guard", "loads before the check of the pointer or index", hoistedOverGuard},
    {"load-wrong-half", "takes the wrong half of a load that it made wider", loadTooWide},
    {"load-narrowed", "loads half of the bytes", loadNarrowed},
};

} // namespace

ArrayRef<Kind> loadKinds() { return kinds; }

} // namespace cc_agent
