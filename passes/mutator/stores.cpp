// Mistakes in what is stored, and when.
#include "mutation.h"

using namespace llvm;

namespace cc_agent {
namespace {

StoreInst *plainStore(Instruction &instruction) {
  auto *store = dyn_cast<StoreInst>(&instruction);
  return store && store->isSimple() ? store : nullptr;
}

void dropped(Instruction &instruction, Context &, Sites &sites) {
  if (StoreInst *store = plainStore(instruction))
    sites.push_back({store, [=] { store->eraseFromParent(); }});
}

void assumedDead(Instruction &instruction, Context &context, Sites &sites) {
  StoreInst *store = plainStore(instruction);
  if (!store)
    return;
  for (User *user : store->getPointerOperand()->users()) {
    auto *later = dyn_cast<StoreInst>(user);
    if (later && later != store && later->getPointerOperand() == store->getPointerOperand() && later->getFunction() == store->getFunction() &&
        later->getValueOperand()->getType() == store->getValueOperand()->getType() && context.dominators.dominates(store, later)) {
      sites.push_back({store, [=] { store->eraseFromParent(); }}); // overwritten later, on some path or after a read
      return;
    }
  }
}

/// The first instruction after the store in its block that may read (or write, with `writes`) the place.
Instruction *nextAccess(StoreInst &store, Context &context, bool writes) {
  for (auto it = std::next(store.getIterator()); !it->isTerminator(); ++it) {
    if (isa<IntrinsicInst>(*it) && !isa<MemIntrinsic>(*it))
      continue;
    ModRefInfo effect = context.aliases.getModRefInfo(&*it, MemoryLocation::get(&store));
    if (writes ? isModSet(effect) : isRefSet(effect))
      return &*it;
  }
  return nullptr;
}

void movedPastRead(Instruction &instruction, Context &context, Sites &sites) {
  StoreInst *store = plainStore(instruction);
  if (Instruction *read = store ? nextAccess(*store, context, false) : nullptr)
    sites.push_back({store, [=] { store->moveAfter(read); }});
}

void repeated(Instruction &instruction, Context &context, Sites &sites) {
  StoreInst *store = plainStore(instruction);
  if (Instruction *write = store ? nextAccess(*store, context, true) : nullptr)
    sites.push_back({store, [=] { store->clone()->insertAfter(write); }});
}

void movedPastWrite(Instruction &instruction, Context &context, Sites &sites) {
  StoreInst *store = plainStore(instruction);
  auto *write = store ? dyn_cast_or_null<StoreInst>(nextAccess(*store, context, true)) : nullptr;
  if (write)
    sites.push_back({store, [=] { store->moveAfter(write); }});
}

void speculated(Instruction &instruction, Context &context, Sites &sites) {
  StoreInst *store = plainStore(instruction);
  if (BranchInst *guard = store ? guardOf(*store, context) : nullptr)
    sites.push_back({store, [=] { store->moveBefore(guard->getIterator()); }});
}

void narrowed(Instruction &instruction, Context &, Sites &sites) {
  StoreInst *store = plainStore(instruction);
  auto *type = store ? dyn_cast<IntegerType>(store->getValueOperand()->getType()) : nullptr;
  if (!type || (type->getBitWidth() != 16 && type->getBitWidth() != 32 && type->getBitWidth() != 64))
    return;
  sites.push_back({store, [=] {
                     IRBuilder<> builder(store);
                     store->setOperand(0, builder.CreateTrunc(store->getValueOperand(), builder.getIntNTy(type->getBitWidth() / 2)));
                   }});
}

void widened(Instruction &instruction, Context &, Sites &sites) {
  StoreInst *store = plainStore(instruction);
  auto *type = store ? dyn_cast<IntegerType>(store->getValueOperand()->getType()) : nullptr;
  if (!type || (type->getBitWidth() != 8 && type->getBitWidth() != 16 && type->getBitWidth() != 32))
    return;
  sites.push_back({store, [=] {
                     IRBuilder<> builder(store);
                     store->setOperand(0, builder.CreateZExt(store->getValueOperand(), builder.getIntNTy(type->getBitWidth() * 2)));
                   }});
}

void wrongConstant(Instruction &instruction, Context &, Sites &sites) {
  StoreInst *store = plainStore(instruction);
  auto *value = store ? dyn_cast<ConstantInt>(store->getValueOperand()) : nullptr;
  if (value)
    sites.push_back({store, [=] { store->setOperand(0, ConstantInt::get(value->getType(), value->getValue() ^ 1)); }});
}

const Kind kinds[] = {
    {"store-dropped", "drops a store", dropped},
    {"store-assumed-dead", "drops a store that is overwritten later, though not before all reads", assumedDead},
    {"store-moved-past-read", "moves a store past a read that may see it", movedPastRead},
    {"store-moved-past-store", "exchanges two stores that may go to the same place", movedPastWrite},
    {"store-repeated", "stores again after something that may have stored there", repeated},
    {"store-speculated", "stores before the branch that decides whether to", speculated},
    {"store-narrowed", "stores half of the bytes", narrowed},
    {"store-widened", "overwrites the bytes behind what is stored", widened},
    {"store-wrong-constant", "stores another constant", wrongConstant},
};

} // namespace

ArrayRef<Kind> storeKinds() { return kinds; }

} // namespace cc_agent
