// Stubs: what stands in for functions of other units, and what is passed where a pointer to a function is wanted.
#include "module.h"

#include "../shared/layout.h"

#include "llvm/BinaryFormat/Dwarf.h"
#include "llvm/IR/IRBuilder.h"

using namespace llvm;

namespace cct {
namespace {

unsigned pointeeSize(const DIType *T) {
  const auto *Derived = dyn_cast_or_null<DIDerivedType>(stripped(T).Type);
  return Derived && Derived->getBaseType() ? sizeOf(Derived->getBaseType()) : 0;
}

unsigned pointeeFlags(const DIType *T) {
  const auto *Derived = dyn_cast_or_null<DIDerivedType>(stripped(T).Type);
  if (!Derived || Derived->getTag() != dwarf::DW_TAG_pointer_type)
    return 0;
  Qualified Pointee = stripped(Derived->getBaseType());
  const auto *Basic = dyn_cast_or_null<DIBasicType>(Pointee.Type);
  bool Bytes = !Pointee.Type || (Basic && Basic->getSizeInBits() == 8);
  return (Bytes ? ArgumentBytes : 0) | (Pointee.Const ? ArgumentConst : 0) |
         (Pointee.Const && isCharacter(Pointee.Type) ? ArgumentString : 0);
}

// The numbers and pointers of a type. Returns whether there is nothing else in it: no union, no bit-field, not too many.
bool fieldsOf(const DIType *T, unsigned Offset, std::vector<PointeeField> &Fields) {
  const DIType *Bare = stripped(T).Type;
  if (!Bare || Fields.size() >= MaxPointeeFields)
    return false;
  unsigned Size = Bare->getSizeInBits() / 8;
  size_t Before = Fields.size();
  if (const auto *Basic = dyn_cast<DIBasicType>(Bare)) {
    bool Float = Basic->getEncoding() == dwarf::DW_ATE_float, Complex = Basic->getEncoding() == dwarf::DW_ATE_complex_float;
    if (Size && Size <= 8 && !Complex)
      Fields.push_back({Offset, Size, Float ? ValueFloat : ValueInteger, Basic->getEncoding() == dwarf::DW_ATE_boolean});
    return Fields.size() > Before;
  }
  if (const auto *Derived = dyn_cast<DIDerivedType>(Bare)) {
    if (Size == 8 && Derived->getTag() != dwarf::DW_TAG_ptr_to_member_type)
      Fields.push_back({Offset, 8, ValuePointer, 0});
    return Fields.size() > Before;
  }
  const auto *Composite = dyn_cast<DICompositeType>(Bare);
  if (!Composite)
    return false;
  bool All = true;
  switch (Composite->getTag()) {
  case dwarf::DW_TAG_enumeration_type:
    if (Size && Size <= 8)
      Fields.push_back({Offset, Size, ValueInteger, 0});
    return Fields.size() > Before;
  case dwarf::DW_TAG_array_type: {
    unsigned Element = sizeOf(Composite->getBaseType());
    for (unsigned At = 0; Element && All && At + Element <= Size; At += Element)
      All = fieldsOf(Composite->getBaseType(), Offset + At, Fields);
    return All && Element;
  }
  case dwarf::DW_TAG_structure_type:
  case dwarf::DW_TAG_class_type:
    for (const DINode *Element : Composite->getElements()) {
      const auto *Member = dyn_cast<DIDerivedType>(Element);
      if (!Member || Member->isStaticMember() ||
          (Member->getTag() != dwarf::DW_TAG_member && Member->getTag() != dwarf::DW_TAG_inheritance))
        continue;
      if (Member->isBitField())
        All = false;
      else
        All &= fieldsOf(Member->getBaseType(), Offset + Member->getOffsetInBits() / 8, Fields);
    }
    return All;
  default:
    return false;
  }
}

ValueKind kindOf(const Type *T) {
  if (T->isVoidTy())
    return ValueNone;
  if (T->isPointerTy())
    return ValuePointer;
  if (T->isFloatTy() || T->isDoubleTy())
    return ValueFloat;
  return T->isIntegerTy() && T->getIntegerBitWidth() <= 64 ? ValueInteger : ValueBytes;
}

} // namespace

HarnessModule::Fields HarnessModule::fields(const DIType *Pointee) {
  auto [Known, New] = KnownFields.try_emplace(stripped(Pointee).Type);
  if (!New)
    return Known->second;
  std::vector<PointeeField> Found;
  bool All = fieldsOf(Pointee, 0, Found);
  std::vector<Constant *> Entries;
  for (const PointeeField &Field : Found) {
    auto number = [&](unsigned Value) { return ConstantInt::get(I32, Value); };
    Entries.push_back(ConstantStruct::get(FieldEntry, {number(Field.Offset), number(Field.Size), number(Field.Kind), number(Field.Boolean)}));
  }
  auto *Table = cast<GlobalVariable>(table("", FieldEntry, Entries));
  Table->setLinkage(GlobalValue::PrivateLinkage);
  return Known->second = {Table, static_cast<unsigned>(Found.size()), All};
}

void HarnessModule::fillStub(Function &Stub, StringRef Name, const DISubroutineType *Declared, unsigned Flags) {
  auto declaredType = [&](unsigned Index) -> const DIType * {
    return Declared && Index < Declared->getTypeArray().size() ? Declared->getTypeArray()[Index] : nullptr;
  };
  // Only where nothing was split or added does the i-th argument have the i-th declared type. `...` is declared as no type at all.
  size_t DeclaredTypes = Declared ? Declared->getTypeArray().size() : 0;
  if (DeclaredTypes > 1 && Stub.isVarArg() && !Declared->getTypeArray()[static_cast<unsigned>(DeclaredTypes - 1)])
    --DeclaredTypes;
  bool SameShape = DeclaredTypes == Stub.arg_size() + 1;
  std::vector<Constant *> Arguments;
  unsigned Offset = 0;
  IRBuilder<> B(BasicBlock::Create(C, "", &Stub));
  std::vector<std::pair<Argument *, unsigned>> Values;
  for (Argument &A : Stub.args()) {
    Type *T = A.hasByValAttr() ? A.getParamByValType() : A.getType();
    unsigned Size = Layout.getTypeStoreSize(T), Kind = A.hasByValAttr() ? unsigned(ValueBytes) : unsigned(kindOf(T));
    unsigned ArgumentFlags = 0, Pointee = 0;
    Fields Seen{ConstantPointerNull::get(Pointer), 0, false};
    if (A.hasStructRetAttr()) {
      ArgumentFlags |= ArgumentNotRead;
      Pointee = Layout.getTypeAllocSize(A.getParamStructRetType());
      if (Declared && Declared->getTypeArray().size())
        Seen = fields(Declared->getTypeArray()[0]);
    } else if (Kind == ValuePointer && SameShape) {
      Pointee = pointeeSize(declaredType(A.getArgNo() + 1));
      ArgumentFlags |= pointeeFlags(declaredType(A.getArgNo() + 1));
      if (Pointee)
        Seen = fields(cast<DIDerivedType>(stripped(declaredType(A.getArgNo() + 1)).Type)->getBaseType());
      if (Seen.All)
        ArgumentFlags |= ArgumentAllFields;
    }
    if (A.hasReturnedAttr())
      ArgumentFlags |= ArgumentReturned;
    if (A.hasAttribute(Attribute::ReadNone) || A.hasAttribute(Attribute::WriteOnly))
      ArgumentFlags |= ArgumentNotRead;
    if (A.onlyReadsMemory() || Stub.onlyReadsMemory())
      ArgumentFlags |= ArgumentNotWritten;
    auto number = [&](unsigned Value) -> Constant * { return ConstantInt::get(I32, Value); };
    Arguments.push_back(ConstantStruct::get(StubArgument, {number(Kind), number(Size), number(Offset), number(Pointee), number(ArgumentFlags),
                                                           number(Seen.Count), Seen.Table}));
    Values.emplace_back(&A, Offset);
    Offset += (std::max(16u, Size) + 15) / 16 * 16;
  }
  auto *Table = cast<GlobalVariable>(table("", StubArgument, Arguments));
  Table->setLinkage(GlobalValue::PrivateLinkage);

  Type *Result = Stub.getReturnType();
  unsigned ResultSize = Result->isVoidTy() ? 0 : Layout.getTypeStoreSize(Result).getFixedValue();
  unsigned ResultPointee = Result->isPointerTy() ? pointeeSize(declaredType(0)) : 0;
  if (Result->isPointerTy()) {
    if (const auto *Pointer = dyn_cast_or_null<DIDerivedType>(stripped(declaredType(0)).Type))
      if (isCharacter(Pointer->getBaseType()))
        Flags |= StubStringResult;
    ResultPointee = std::max<unsigned>(ResultPointee, Stub.getAttributes().getRetDereferenceableBytes());
    if (Stub.hasRetAttribute(Attribute::NonNull) || Stub.getAttributes().getRetDereferenceableBytes())
      Flags |= StubNonNullResult;
    if (Stub.hasRetAttribute(Attribute::NoAlias))
      Flags |= StubFreshResult;
  }
  std::vector<Constant *> &Entries = Flags & StubCallback ? Callbacks : Stubs;
  auto number = [&](unsigned Value) -> Constant * { return ConstantInt::get(I32, Value); };
  Constant *Entry = ConstantStruct::get(
      StubEntry, {text(Name), &Stub, Table, number(Arguments.size()), number(Entries.size()), number(kindOf(Result)),
                  number(ResultSize), number(ResultPointee), number(Flags)});
  auto *Self = new GlobalVariable(*M, StubEntry, true, GlobalValue::PrivateLinkage, Entry);
  Entries.push_back(Entry);

  Value *Buffer = B.CreateAlloca(ArrayType::get(I64, std::max(2u, Offset / 8)));
  Value *Answer = B.CreateAlloca(ArrayType::get(I64, std::max(2u, (ResultSize + 7) / 8)));
  cast<AllocaInst>(Buffer)->setAlignment(Align(16));
  cast<AllocaInst>(Answer)->setAlignment(Align(16));
  for (auto [A, Where] : Values) {
    Value *Slot = B.CreateConstGEP1_64(I8, Buffer, Where);
    if (A->hasByValAttr())
      B.CreateMemCpy(Slot, Align(1), A, Align(1), Layout.getTypeStoreSize(A->getParamByValType()));
    else if (A->getType()->isIntegerTy(1))
      B.CreateStore(B.CreateZExt(A, I8), Slot);
    else
      B.CreateAlignedStore(A, Slot, Align(1));
  }
  B.CreateCall(M->getOrInsertFunction("cct_stub", Type::getVoidTy(C), Pointer, Pointer, Pointer), {Self, Buffer, Answer});
  if (Flags & StubNoReturn)
    B.CreateUnreachable();
  else if (Result->isVoidTy())
    B.CreateRetVoid();
  else if (Result->isIntegerTy(1))
    B.CreateRet(B.CreateTrunc(B.CreateLoad(I8, Answer), Result));
  else
    B.CreateRet(B.CreateAlignedLoad(Result, Answer, Align(1)));
}

void HarnessModule::addStub(const Function &F) {
  auto *Stub = Function::Create(F.getFunctionType(), GlobalValue::ExternalLinkage, stubName(F.getName()), M.get());
  Stub->setCallingConv(F.getCallingConv());
  Stub->setAttributes(F.getAttributes());
  unsigned Flags = 0;
  if (F.doesNotReturn())
    Flags |= StubNoReturn;
  MemoryEffects Effects = F.getMemoryEffects();
  if (Effects.onlyReadsMemory())
    Flags |= StubPure;
  if (isRefSet(Effects.getModRef(IRMemLocation::Other)))
    Flags |= StubReadsMemory;
  // Of the C library's own the optimizer knows what they write.
  if (LibFunc Known; isModSet(Effects.getModRef(IRMemLocation::Other)) && !Library.getLibFunc(F, Known))
    Flags |= StubClobbers;
  const DISubprogram *Program = F.getSubprogram();
  fillStub(*Stub, F.getName(), Program ? Program->getType() : nullptr, Flags);
  // The body writes the trace: what is promised of the original does not hold for it.
  Stub->removeFnAttr(Attribute::Memory);
  Stub->removeFnAttr(Attribute::NoReturn);
  Stub->removeFnAttr(Attribute::WillReturn);
  Stub->removeFnAttr(Attribute::NoUnwind);
  Stub->removeFnAttr(Attribute::AllocSize);
  Stub->removeFnAttr(Attribute::AllocKind);
  Stub->addFnAttrs(TargetAttributes);
  for (Argument &A : Stub->args())
    for (auto Kind : {Attribute::ReadNone, Attribute::ReadOnly, Attribute::WriteOnly, Attribute::NoAlias, Attribute::Captures,
                      Attribute::Dereferenceable, Attribute::NonNull, Attribute::Returned})
      A.removeAttr(Kind);
  for (auto Kind : {Attribute::NoAlias, Attribute::NonNull, Attribute::Dereferenceable, Attribute::DereferenceableOrNull})
    Stub->removeRetAttr(Kind);
}

bool HarnessModule::addCallback(const DISubroutineType *Declared) {
  std::string Name = "cct_callback_" + std::to_string(Callbacks.size());
  std::vector<Type *> Types;
  std::vector<unsigned> Extensions;
  bool Expressible = true;
  for (const DIType *T : Declared->getTypeArray()) {
    const DIType *Bare = stripped(T).Type;
    uint64_t Bits = Bare ? Bare->getSizeInBits() : 0;
    Type *Lowered = nullptr;
    unsigned Extension = 0;
    if (!Bare) {
      Lowered = Type::getVoidTy(C);
    } else if (const auto *Basic = dyn_cast<DIBasicType>(Bare)) {
      if (Basic->getEncoding() == dwarf::DW_ATE_float)
        Lowered = Bits == 32 ? Type::getFloatTy(C) : Bits == 64 ? Type::getDoubleTy(C) : nullptr;
      else if (Bits && Bits <= 64)
        Lowered = IntegerType::get(C, Bits);
      if (Lowered && Bits < 32 && Lowered->isIntegerTy())
        Extension = Basic->getSignedness() == DIBasicType::Signedness::Signed ? 1 : 2;
    } else if (const auto *Composite = dyn_cast<DICompositeType>(Bare)) {
      if (Composite->getTag() == dwarf::DW_TAG_enumeration_type && Bits && Bits <= 64)
        Lowered = IntegerType::get(C, Bits);
    } else if (isa<DIDerivedType>(Bare)) {
      Lowered = Pointer;
    }
    if (!Lowered || (Lowered->isVoidTy() && !Types.empty())) {
      // A variable number of arguments, or a structure by value: registers that we do not know.
      Expressible = Expressible && !Lowered ? false : Expressible && T == nullptr;
      if (!Expressible)
        break;
      continue;
    }
    Types.push_back(Lowered);
    Extensions.push_back(Extension);
  }
  if (Types.empty())
    Types.push_back(Type::getVoidTy(C)), Extensions.push_back(0);
  if (!Expressible) {
    Constant *Null = ConstantPointerNull::get(Pointer);
    Constant *Zero = ConstantInt::get(I32, 0);
    Callbacks.push_back(ConstantStruct::get(StubEntry, {text(Name), Null, Null, Zero, Zero, Zero, Zero, Zero, Zero}));
    return false;
  }
  auto *Stub = Function::Create(FunctionType::get(Types[0], ArrayRef(Types).drop_front(), false), GlobalValue::ExternalLinkage,
                                Name, M.get());
  auto extend = [&](unsigned Extension) { return Extension == 1 ? Attribute::SExt : Attribute::ZExt; };
  if (Extensions[0])
    Stub->addRetAttr(extend(Extensions[0]));
  for (unsigned Index = 1; Index < Types.size(); ++Index)
    if (Extensions[Index])
      Stub->addParamAttr(Index - 1, extend(Extensions[Index]));
  Stub->addFnAttrs(TargetAttributes);
  fillStub(*Stub, Name, Declared, StubCallback | StubReadsMemory | (IndirectCallsMayWrite ? unsigned(StubClobbers) : 0));
  return true;
}

} // namespace cct
