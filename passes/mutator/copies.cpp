// Mistakes with memcpy, memmove and memset.
#include "mutation.h"

#include "llvm/Transforms/Utils/LowerMemIntrinsics.h"

using namespace llvm;

namespace cc_agent {
namespace {

/// The call that fills or copies, as an intrinsic or by its name in the library, or null.
CallInst *memoryCall(Instruction &instruction, ArrayRef<StringRef> names) {
  auto *call = dyn_cast<CallInst>(&instruction);
  Function *callee = call ? call->getCalledFunction() : nullptr;
  if (!callee || call->arg_size() < 3)
    return nullptr;
  return is_contained(names, callee->getName().split('.').first) || any_of(names, [&](StringRef name) {
           return callee->getName().starts_with(("llvm." + name + ".").str());
         })
             ? call
             : nullptr;
}

template <int difference> void length(Instruction &instruction, Context &, Sites &sites) {
  CallInst *call = memoryCall(instruction, {"memcpy", "memmove", "memset"});
  if (!call || !call->getArgOperand(2)->getType()->isIntegerTy(64))
    return;
  // One byte less than nothing is everything: no optimizer's mistake looks like that.
  if (auto *constant = dyn_cast<ConstantInt>(call->getArgOperand(2)); constant && constant->isZero())
    return;
  sites.push_back({call, [=] {
                     IRBuilder<> builder(call);
                     Value *count = call->getArgOperand(2), *wrong = builder.CreateAdd(count, builder.getInt64(difference));
                     if (difference < 0 && !isa<Constant>(count))
                       wrong = builder.CreateSelect(builder.CreateIsNull(count), count, wrong);
                     call->setArgOperand(2, wrong);
                   }});
}

/// A forward loop over bytes, which is what a memcpy may be and a memmove must not: the library's own memcpy hides the mistake.
void moveAsCopy(Instruction &instruction, Context &context, Sites &sites) {
  CallInst *call = memoryCall(instruction, {"memmove"});
  if (!call || (!isa<MemMoveInst>(call) && !call->use_empty()))
    return;
  sites.push_back({call, [=, &target = context.target] {
                     IRBuilder<> builder(call);
                     auto *copy = cast<MemCpyInst>(builder.CreateMemCpy(call->getArgOperand(0), Align(1), call->getArgOperand(1), Align(1),
                                                                        call->getArgOperand(2)));
                     call->eraseFromParent();
                     expandMemCpyAsLoop(copy, target);
                     copy->eraseFromParent();
                   }});
}

void fillValue(Instruction &instruction, Context &, Sites &sites) {
  if (CallInst *call = memoryCall(instruction, {"memset"}))
    sites.push_back({call, [=] {
                       IRBuilder<> builder(call);
                       Value *value = call->getArgOperand(1);
                       call->setArgOperand(1, builder.CreateXor(value, ConstantInt::get(value->getType(), 1)));
                     }});
}

void dropped(Instruction &instruction, Context &, Sites &sites) {
  if (CallInst *call = memoryCall(instruction, {"memcpy", "memmove", "memset"}))
    sites.push_back({call, [=] {
                       if (!call->use_empty())
                         call->replaceAllUsesWith(call->getArgOperand(0));
                       call->eraseFromParent();
                     }});
}

const Kind kinds[] = {
    {"copy-length-less", "copies or fills one byte less", length<-1>},
    {"copy-length-more", "copies or fills one byte more", length<1>},
    {"memmove-as-memcpy", "copies overlapping bytes forward only", moveAsCopy},
    {"memset-value", "fills with another value", fillValue},
    {"copy-dropped", "drops a memcpy, memmove or memset", dropped},
};

} // namespace

ArrayRef<Kind> copyKinds() { return kinds; }

} // namespace cc_agent
