#include "module.h"

#include "../shared/layout.h"

#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"

using namespace llvm;

namespace cct {

constexpr uint64_t UnknownGlobalSize = 4096;

std::string unitName(StringRef Name) { return "cct_u_" + Name.str(); }
std::string stubName(StringRef Name) { return "cct_s_" + Name.str(); }
std::string localName(StringRef Name) { return "cct_l_" + Name.str(); }

HarnessModule::HarnessModule(const Module &Unit)
    : Unit(Unit), M(std::make_unique<Module>("harness", Unit.getContext())), C(Unit.getContext()),
      Layout(Unit.getDataLayout()), TargetAttributes(C), LibraryFunctions(Unit.getTargetTriple()) {
  M->setDataLayout(Layout);
  M->setTargetTriple(Unit.getTargetTriple());
  Pointer = PointerType::get(C, 0);
  I8 = Type::getInt8Ty(C);
  I32 = Type::getInt32Ty(C);
  I64 = Type::getInt64Ty(C);
  FunctionEntry = StructType::create({Pointer, Pointer, Pointer, I32, I32}, "FunctionEntry");
  GlobalEntry = StructType::create({Pointer, Pointer, I64, I32, I32}, "GlobalEntry");
  FieldEntry = StructType::create({I32, I32, I32, I32}, "PointeeField");
  StubArgument = StructType::create({I32, I32, I32, I32, I32, I32, Pointer}, "StubArgument");
  StubEntry = StructType::create({Pointer, Pointer, Pointer, I32, I32, I32, I32, I32, I32}, "StubEntry");
  Exceptions = false;
  // Vectors are passed by the processor's features: ours must be those of the unit.
  for (const Function &F : Unit) {
    Exceptions |= F.hasPersonalityFn() || F.getName() == "__cxa_throw" || F.getName().starts_with("_Z");
    if (F.isDeclaration())
      continue;
    for (const Instruction &I : instructions(F))
      if (const auto *Call = dyn_cast<CallBase>(&I); Call && Call->isIndirectCall() && Call->onlyReadsMemory())
        IndirectCallsMayWrite = false;
    for (const char *Kind : {"target-cpu", "target-features", "tune-cpu"})
      if (F.hasFnAttribute(Kind))
        TargetAttributes.addAttribute(Kind, F.getFnAttribute(Kind).getValueAsString());
  }
}

Constant *HarnessModule::text(StringRef Text) {
  auto *Data = ConstantDataArray::getString(C, Text);
  return new GlobalVariable(*M, Data->getType(), true, GlobalValue::PrivateLinkage, Data);
}

Constant *HarnessModule::table(StringRef Name, Type *Entry, ArrayRef<Constant *> Entries) {
  auto *Array = ArrayType::get(Entry, Entries.size());
  return new GlobalVariable(*M, Array, true, GlobalValue::ExternalLinkage, ConstantArray::get(Array, Entries), Name);
}

void HarnessModule::addFunction(const Function &F, const Signature &S, bool MayBeMissing, bool NoAlias) {
  auto *Target = Function::Create(F.getFunctionType(), MayBeMissing ? GlobalValue::ExternalWeakLinkage : GlobalValue::ExternalLinkage,
                                  MayBeMissing ? F.getName().str() : unitName(F.getName()), M.get());
  Target->setCallingConv(F.getCallingConv());
  AttributeList Attributes = F.getAttributes();
  // The thunk must not know what the function promises, or it would be optimized by it.
  Target->setAttributes(AttributeList::get(C, AttributeSet(), Attributes.getRetAttrs(), [&] {
    std::vector<AttributeSet> Sets;
    for (const Argument &A : F.args())
      Sets.push_back(Attributes.getParamAttrs(A.getArgNo()));
    return Sets;
  }()));
  Constant *Thunk = ConstantPointerNull::get(Pointer);
  if (S.Unsupported.empty()) {
    auto *T = Function::Create(FunctionType::get(Type::getVoidTy(C), {Pointer, Pointer}, false), GlobalValue::InternalLinkage,
                               "cct_thunk", M.get());
    T->addFnAttrs(TargetAttributes);
    T->addFnAttr(Attribute::OptimizeNone);
    T->addFnAttr(Attribute::NoInline);
    IRBuilder<> B(BasicBlock::Create(C, "", T));
    std::vector<Value *> Arguments;
    for (const Argument &A : F.args()) {
      const Piece &P = S.Pieces[A.getArgNo()];
      Value *Where = B.CreateConstGEP1_64(I8, T->getArg(0), P.Slot);
      if (P.Kind == Piece::Way::Result) {
        Arguments.push_back(T->getArg(1));
      } else if (P.Kind == Piece::Way::ByValue || P.Kind == Piece::Way::Indirect) {
        Arguments.push_back(Where);
      } else if (A.getType()->isIntegerTy(1)) {
        Arguments.push_back(B.CreateTrunc(B.CreateLoad(I8, Where), A.getType()));
      } else {
        Arguments.push_back(B.CreateAlignedLoad(A.getType(), Where, Align(1)));
      }
    }
    Value *Returned = nullptr;
    BasicBlock *After = nullptr;
    if (Exceptions) {
      After = BasicBlock::Create(C, "", T);
      auto *Pad = BasicBlock::Create(C, "", T);
      T->setPersonalityFn(cast<Constant>(
          M->getOrInsertFunction("__gxx_personality_v0", FunctionType::get(I32, true)).getCallee()));
      auto *Invoke = B.CreateInvoke(F.getFunctionType(), Target, After, Pad, Arguments);
      Invoke->setCallingConv(F.getCallingConv());
      Invoke->setAttributes(Target->getAttributes());
      Returned = Invoke;
      B.SetInsertPoint(Pad);
      auto *Landing = B.CreateLandingPad(StructType::get(Pointer, I32), 1);
      Landing->addClause(ConstantPointerNull::get(Pointer));
      B.CreateCall(M->getOrInsertFunction("__cxa_begin_catch", Pointer, Pointer), {B.CreateExtractValue(Landing, 0)});
      Value *Info = B.CreateCall(M->getOrInsertFunction("__cxa_current_exception_type", Pointer));
      Value *Name = B.CreateLoad(Pointer, B.CreateConstGEP1_64(I8, Info, 8));
      B.CreateCall(M->getOrInsertFunction("cct_exception", Type::getVoidTy(C), Pointer), {Name});
      B.CreateUnreachable();
      B.SetInsertPoint(After);
    } else {
      auto *Call = B.CreateCall(F.getFunctionType(), Target, Arguments);
      Call->setCallingConv(F.getCallingConv());
      Call->setAttributes(Target->getAttributes());
      Returned = Call;
    }
    if (!F.getReturnType()->isVoidTy() && !F.hasStructRetAttr()) {
      if (F.getReturnType()->isIntegerTy(1))
        Returned = B.CreateZExt(Returned, I8);
      B.CreateAlignedStore(Returned, T->getArg(1), Align(1));
    }
    B.CreateRetVoid();
    Thunk = T;
  }
  Functions.push_back(ConstantStruct::get(FunctionEntry, {text(F.getName()), Thunk, Target, ConstantInt::get(I32, S.ResultSize),
                                                          ConstantInt::get(I32, NoAlias ? FunctionNoAlias : 0)}));
}

Type *HarnessModule::addGlobal(const GlobalVariable &G, bool DefinedHere) {
  Type *T = G.getValueType();
  GlobalVariable *Target;
  bool Apart = false;
  if (DefinedHere) {
    // Nobody else defines it. Of an unknown size it is large enough for what a test may touch.
    Type *Element = isa<ArrayType>(T) ? T->getArrayElementType() : I64;
    bool Unknown = !T->isSized() || Layout.getTypeAllocSize(T).isZero();
    if (Unknown)
      T = ArrayType::get(Element, std::max<uint64_t>(1, UnknownGlobalSize / std::max<uint64_t>(1, Layout.getTypeAllocSize(Element))));
    auto *Guarded = StructType::get(T, ArrayType::get(I8, GlobalRedZone));
    Target = new GlobalVariable(*M, Guarded, false, GlobalValue::ExternalLinkage, Constant::getNullValue(Guarded), stubName(G.getName()),
                                nullptr, G.getThreadLocalMode());
    Target->setAlignment(std::max(G.getAlign().valueOrOne(), Align(16)));
    Apart = Unknown && GlobalsKeptApart < MaxGlobalsApart && !G.isThreadLocal();
    if (Apart)
      Target->setSection(".bss.cct_apart." + std::to_string(GlobalsKeptApart++));
  } else {
    Target = new GlobalVariable(*M, T, false, GlobalValue::ExternalLinkage, nullptr, unitName(G.getName()), nullptr, G.getThreadLocalMode());
  }
  uint64_t Size = Layout.getTypeAllocSize(T);
  unsigned Flags = (G.isConstant() ? GlobalConstant : 0) | (G.isThreadLocal() ? GlobalThreadLocal : 0) | (DefinedHere ? GlobalForeign : 0) |
                   (Apart ? GlobalApart : 0);
  Constant *Address = G.isThreadLocal() ? cast<Constant>(ConstantPointerNull::get(Pointer)) : Target;
  Globals.push_back(ConstantStruct::get(GlobalEntry, {text(G.getName()), Address, ConstantInt::get(I64, Size),
                                                      ConstantInt::get(I32, Flags), ConstantInt::get(I32, MaskOffset)}));
  MaskOffset += (Size + 15) / 16 * 16;
  return T;
}

void HarnessModule::addLocal(const Function &F) {
  Locals.push_back(Function::Create(FunctionType::get(Type::getVoidTy(C), false), GlobalValue::ExternalWeakLinkage, localName(F.getName()), M.get()));
}

std::unique_ptr<Module> HarnessModule::finish() {
  unsigned Counts[] = {unsigned(Functions.size()), unsigned(Globals.size()), unsigned(Stubs.size()), unsigned(Callbacks.size()), unsigned(Locals.size())};
  table("cct_functions", FunctionEntry, Functions);
  table("cct_globals", GlobalEntry, Globals);
  table("cct_stubs", StubEntry, Stubs);
  table("cct_callbacks", StubEntry, Callbacks);
  table("cct_locals", Pointer, Locals);
  if (GlobalsKeptApart) { // what lies behind the last one
    auto *End = new GlobalVariable(*M, I64, false, GlobalValue::ExternalLinkage, ConstantInt::get(I64, 0), "cct_apart_end");
    End->setSection(".bss.cct_apart." + std::to_string(GlobalsKeptApart));
  }
  auto *Array = ConstantDataArray::get(C, ArrayRef<uint32_t>(Counts));
  new GlobalVariable(*M, Array->getType(), true, GlobalValue::ExternalLinkage, Array, "cct_counts");
  return std::move(M);
}

} // namespace cct
