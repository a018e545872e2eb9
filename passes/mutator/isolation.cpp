// What becomes of a module before the optimizer is asked about one of its functions, and the question.
#include "agreement.h"

#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/AttributeMask.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Operator.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"

using namespace llvm;

namespace cc_agent {
namespace {

/// A value of a type that nothing is known of, another one each time.
Value *unknown(Instruction &before, Type *type) {
  auto *place = new GlobalVariable(*before.getModule(), type, false, GlobalValue::ExternalLinkage, nullptr, "cc_agent_unknown");
  return IRBuilder<>(&before).CreateLoad(type, place, /*isVolatile=*/true);
}

/// A call that leaves anything in an alloca, and does not keep its address.
void forget(Instruction &before, Value *place) {
  Module &module = *before.getModule();
  LLVMContext &context = module.getContext();
  FunctionCallee callee = module.getOrInsertFunction("cc_agent_fill", Type::getVoidTy(context), place->getType());
  auto *function = cast<Function>(callee.getCallee());
  function->addParamAttr(0, Attribute::getWithCaptureInfo(context, CaptureInfo::none()));
  function->setDoesNotThrow();
  function->setWillReturn();
  function->setMemoryEffects(MemoryEffects::argMemOnly(ModRefInfo::Mod));
  IRBuilder<>(&before).CreateCall(callee, place);
}

/// Everything else in the module becomes a declaration: what could be concluded from who else uses what is not to be.
void removeOthers(Module &module, Function &function) {
  for (Function &other : module) {
    if (&other != &function && !other.isDeclaration())
      other.deleteBody();
    other.setComdat(nullptr);
    other.setLinkage(GlobalValue::ExternalLinkage);
    // What malloc returns holds undef, and the optimizer knows malloc by its name.
    if (other.hasRetAttribute(Attribute::NoAlias) && other.getName() != "calloc") {
      other.setName("cc_agent_allocates");
      other.removeFnAttr(Attribute::AllocKind);
      other.removeFnAttr("alloc-family");
    }
    for (Attribute::AttrKind claim : {Attribute::NonNull, Attribute::Range, Attribute::Alignment})
      other.removeRetAttr(claim);
  }
  for (GlobalVariable &global : module.globals()) {
    if (global.isConstant() || global.getName().starts_with("llvm."))
      continue;
    global.setComdat(nullptr);
    global.setInitializer(nullptr);
    global.setLinkage(GlobalValue::ExternalLinkage);
  }
  // What holds for the function need not hold for it with the checks in it.
  AttributeMask gone;
  for (Attribute::AttrKind kind :
       {Attribute::MinSize, Attribute::OptimizeForSize, Attribute::OptimizeNone, Attribute::NoInline, Attribute::WillReturn,
        Attribute::Memory, Attribute::NoSync, Attribute::NoFree, Attribute::NoRecurse, Attribute::NoReturn, Attribute::NoUnwind,
        Attribute::Speculatable, Attribute::MustProgress})
    gone.addAttribute(kind);
  function.removeFnAttrs(gone);
  for (Argument &argument : function.args())
    for (Attribute::AttrKind kind : {Attribute::ReadOnly, Attribute::ReadNone, Attribute::WriteOnly, Attribute::Captures,
                                     Attribute::NoFree, Attribute::Returned, Attribute::Initializes})
      argument.removeAttr(kind);
}

/// Undef is what the optimizer likes best in each place. It becomes one value that nobody knows.
void removeUndefined(Function &function) {
  std::vector<IntrinsicInst *> markers;
  std::vector<AllocaInst *> allocas;
  std::vector<Use *> uses;
  for (Instruction &instruction : instructions(function)) {
    if (instruction.isLifetimeStartOrEnd())
      markers.push_back(cast<IntrinsicInst>(&instruction));
    if (auto *alloca = dyn_cast<AllocaInst>(&instruction))
      allocas.push_back(alloca);
    if (auto *call = dyn_cast<CallBase>(&instruction))
      call->removeFnAttr(Attribute::AllocKind);
    if (isa<InsertElementInst, ShuffleVectorInst, InsertValueInst>(instruction))
      continue; // of what they build on only what they keep matters, and that is not looked at
    for (Use &use : instruction.operands())
      if (isa<UndefValue>(use.get()) && use->getType()->isSized())
        uses.push_back(&use);
  }
  for (IntrinsicInst *marker : markers) {
    if (marker->getIntrinsicID() == Intrinsic::lifetime_start && !isa<UndefValue>(marker->getArgOperand(marker->arg_size() - 1)))
      forget(*marker, marker->getArgOperand(marker->arg_size() - 1));
    marker->eraseFromParent();
  }
  for (AllocaInst *alloca : allocas)
    forget(*std::next(alloca->getIterator()), alloca);
  for (Use *use : uses)
    if (auto *user = dyn_cast<Instruction>(use->getUser()); user && user->getParent()) {
      auto *phi = dyn_cast<PHINode>(user);
      Instruction *before = phi ? phi->getIncomingBlock(*use)->getTerminator() : user;
      Value *value = unknown(*before, use->get()->getType());
      if (phi) // the same for all edges from there
        phi->setIncomingValueForBlock(phi->getIncomingBlock(*use), value);
      else
        use->set(value);
    }
}

bool solid(const Value &value, bool memory, SmallPtrSetImpl<const Value *> &seen) {
  if (!seen.insert(&value).second)
    return true;
  if (auto *argument = dyn_cast<Argument>(&value))
    return argument->hasAttribute(Attribute::NoUndef) ||
           none_of(ArrayRef{Attribute::NonNull, Attribute::Range, Attribute::Alignment},
                   [&](Attribute::AttrKind kind) { return argument->hasAttribute(kind); });
  if (auto *constant = dyn_cast<Constant>(&value))
    return !isa<UndefValue>(constant) && !constant->containsUndefOrPoisonElement() && !isa<ConstantExpr>(constant);
  auto *instruction = dyn_cast<Instruction>(&value);
  if (!instruction || instruction->hasPoisonGeneratingAnnotations())
    return false;
  if (isa<LoadInst>(instruction))
    return memory;
  if (isa<AllocaInst>(instruction) || (isa<CallBase>(instruction) && !isa<IntrinsicInst>(instruction)))
    return true;
  if (canCreatePoison(cast<Operator>(instruction)))
    return false;
  return all_of(instruction->operands(),
                [&](const Use &use) { return isa<BasicBlock, Function>(use.get()) || solid(*use.get(), memory, seen); });
}

} // namespace

bool isSolid(const Value &value, bool memory) {
  SmallPtrSet<const Value *, 32> seen;
  return solid(value, memory, seen);
}

bool storesSolid(const Function &function) {
  return all_of(instructions(function), [](const Instruction &instruction) {
    auto *store = dyn_cast<StoreInst>(&instruction);
    return !store || isSolid(*store->getValueOperand(), /*memory=*/true);
  });
}

FunctionCallee different(Module &module) {
  FunctionCallee callee = module.getOrInsertFunction("cc_agent_different", Type::getVoidTy(module.getContext()));
  auto *function = cast<Function>(callee.getCallee());
  function->setDoesNotReturn();
  function->setDoesNotThrow();
  return callee;
}

void isolate(Module &module, Function &function) {
  removeOthers(module, function);
  removeUndefined(function);
}

bool checksVanish(Module &module) {
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager callGraph;
  ModuleAnalysisManager modules;
  PipelineTuningOptions tuning;
  tuning.LoopVectorization = tuning.SLPVectorization = tuning.LoopInterleaving = false;
  PassBuilder builder(nullptr, tuning);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(callGraph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, callGraph, modules);
  auto left = [&] { return !module.getFunction("cc_agent_different")->use_empty(); };
  for (int round = 0; round < 2 && left(); ++round) {
    ModulePassManager passes = builder.buildPerModuleDefaultPipeline(OptimizationLevel::O3);
    passes.run(module, modules);
    modules.clear();
    if (!module.getFunction("cc_agent_different"))
      return true; // the declaration went, too
  }
  return !left();
}

} // namespace cc_agent
