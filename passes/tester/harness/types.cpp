#include "types.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/BinaryFormat/Dwarf.h"
#include "llvm/IR/Constants.h"

using namespace llvm;

namespace cct {

// Names become single words: what is not plain is written as %XX.
std::string encoded(StringRef Text) {
  if (Text.empty())
    return "-";
  std::string Result;
  for (unsigned char Character : Text) {
    if (isAlnum(Character) || StringRef("_.:<>*,()&~=+[]").contains(Character)) {
      Result += static_cast<char>(Character);
    } else {
      const char *Digits = "0123456789abcdef";
      Result += '%';
      Result += Digits[Character >> 4];
      Result += Digits[Character & 15];
    }
  }
  return Result;
}

Qualified stripped(const DIType *Type) {
  Qualified Result{Type};
  while (const auto *Derived = dyn_cast_or_null<DIDerivedType>(Result.Type)) {
    switch (Derived->getTag()) {
    case dwarf::DW_TAG_const_type:
      Result.Const = true;
      break;
    case dwarf::DW_TAG_volatile_type:
      Result.Volatile = true;
      break;
    case dwarf::DW_TAG_restrict_type:
      Result.Restrict = true;
      break;
    case dwarf::DW_TAG_typedef:
    case dwarf::DW_TAG_atomic_type:
    case dwarf::DW_TAG_member:
      break;
    default:
      return Result;
    }
    Result.Type = Derived->getBaseType();
  }
  return Result;
}

uint64_t sizeOf(const DIType *Type) {
  const DIType *Bare = stripped(Type).Type;
  return Bare ? Bare->getSizeInBits() / 8 : 0;
}

bool isCharacter(const DIType *Type) {
  const auto *Basic = dyn_cast_or_null<DIBasicType>(stripped(Type).Type);
  return Basic && (Basic->getEncoding() == dwarf::DW_ATE_signed_char || Basic->getEncoding() == dwarf::DW_ATE_unsigned_char) &&
         Basic->getSizeInBits() == 8;
}

TypeTable::TypeTable() { Lines.push_back("type 0 void"); }

unsigned TypeTable::add(const DIType *Type) {
  Qualified Bare = stripped(Type);
  if (!Bare.Type)
    return 0;
  auto Key = std::make_pair(Bare.Type, Bare.Restrict);
  if (auto Found = Known.find(Key); Found != Known.end())
    return Found->second;
  unsigned Number = Lines.size();
  Known[Key] = Number; // before its members: types may name themselves
  Lines.emplace_back();
  std::string Text;
  if (const auto *Derived = dyn_cast<DIDerivedType>(Bare.Type))
    Text = describePointer(Derived, Bare.Restrict);
  else
    Text = describe(Bare.Type, Number);
  Lines[Number] = "type " + std::to_string(Number) + " " + Text;
  return Number;
}

unsigned TypeTable::addInteger(unsigned Bytes) {
  auto [Entry, New] = Integers.try_emplace(Bytes, Lines.size());
  if (New)
    Lines.push_back("type " + std::to_string(Lines.size()) + " int " + std::to_string(Bytes) + " 1 -");
  return Entry->second;
}

unsigned TypeTable::addFloat(unsigned Bytes) {
  auto [Entry, New] = Floats.try_emplace(Bytes, Lines.size());
  if (New)
    Lines.push_back("type " + std::to_string(Lines.size()) + " float " + std::to_string(Bytes) + " -");
  return Entry->second;
}

unsigned TypeTable::addUntypedPointer() {
  auto [Entry, New] = Integers.try_emplace(1000, Lines.size());
  if (New)
    Lines.push_back("type " + std::to_string(Lines.size()) + " pointer 0 0 0 0");
  return Entry->second;
}

unsigned TypeTable::add(Type *T, const DataLayout &Layout) {
  uint64_t Bytes = Layout.getTypeAllocSize(T).getFixedValue();
  if (T->isPointerTy())
    return addUntypedPointer();
  if (T->isFloatTy() || T->isDoubleTy())
    return addFloat(Bytes);
  if (T->isIntegerTy())
    return Bytes <= 8 ? addInteger(Bytes) : 0;
  std::string Text;
  if (const auto *Array = dyn_cast<ArrayType>(T)) {
    unsigned Element = add(Array->getElementType(), Layout);
    if (!Element)
      return 0;
    Text = "array " + std::to_string(Bytes) + " " + std::to_string(Element) + " " + std::to_string(Array->getNumElements());
  } else if (auto *Structure = dyn_cast<StructType>(T)) {
    const StructLayout *Places = Layout.getStructLayout(Structure);
    Text = "struct " + std::to_string(Bytes) + " - " + std::to_string(Structure->getNumElements());
    for (unsigned Index = 0; Index < Structure->getNumElements(); ++Index) {
      unsigned Member = add(Structure->getElementType(Index), Layout);
      if (!Member)
        return 0;
      Text += " " + std::to_string(Places->getElementOffset(Index).getFixedValue()) + " 0 0 " + std::to_string(Member) + " -";
    }
  } else {
    return 0;
  }
  Lines.push_back("type " + std::to_string(Lines.size()) + " " + Text);
  return Lines.size() - 1;
}

std::string TypeTable::describePointer(const DIDerivedType *Type, bool Restrict) {
  switch (Type->getTag()) {
  case dwarf::DW_TAG_pointer_type:
  case dwarf::DW_TAG_reference_type:
  case dwarf::DW_TAG_rvalue_reference_type: {
    Qualified Pointee = stripped(Type->getBaseType());
    bool Reference = Type->getTag() != dwarf::DW_TAG_pointer_type;
    return "pointer " + std::to_string(add(Type->getBaseType())) + (Pointee.Const ? " 1" : " 0") + (Restrict ? " 1" : " 0") +
           (Reference ? " 1" : " 0");
  }
  default: // a pointer to a member: bits
    return "int " + std::to_string(std::max<uint64_t>(1, Type->getSizeInBits() / 8)) + " 0 " + encoded(Type->getName());
  }
}

std::string TypeTable::describe(const DIType *Type, unsigned Number) {
  if (const auto *Basic = dyn_cast<DIBasicType>(Type)) {
    uint64_t Bytes = Basic->getSizeInBits() / 8;
    std::string Size = std::to_string(Bytes), Name = encoded(Basic->getName());
    switch (Basic->getEncoding()) {
    case dwarf::DW_ATE_boolean:
      return "bool " + Size + " " + Name;
    case dwarf::DW_ATE_float:
      return "float " + Size + " " + Name;
    case dwarf::DW_ATE_complex_float:
      return "array " + Size + " " + std::to_string(addFloat(Bytes / 2)) + " 2";
    case dwarf::DW_ATE_signed_char:
      return "char " + Size + " 1 " + Name;
    case dwarf::DW_ATE_unsigned_char:
      return "char " + Size + " 0 " + Name;
    case dwarf::DW_ATE_signed:
      return "int " + Size + " 1 " + Name;
    default:
      return "int " + Size + " 0 " + Name;
    }
  }
  if (const auto *Subroutine = dyn_cast<DISubroutineType>(Type)) {
    unsigned Callback = Functions.size();
    Functions.emplace_back(Subroutine, Number);
    return "function " + std::to_string(Callback);
  }
  if (const auto *Composite = dyn_cast<DICompositeType>(Type))
    return describeComposite(Composite);
  return "opaque " + encoded(Type->getName());
}

std::string TypeTable::describeComposite(const DICompositeType *Type) {
  uint64_t Bytes = Type->getSizeInBits() / 8;
  std::string Size = std::to_string(Bytes), Name = encoded(Type->getName());
  if (Type->isForwardDecl())
    return "opaque " + Name;
  switch (Type->getTag()) {
  case dwarf::DW_TAG_enumeration_type: {
    std::string Values;
    unsigned Count = 0;
    for (const DINode *Element : Type->getElements())
      if (const auto *Enumerator = dyn_cast<DIEnumerator>(Element); Enumerator && Count < 64) {
        Values += " " + std::to_string(Enumerator->getValue().getSExtValue());
        ++Count;
      }
    return "enum " + Size + " " + Name + " " + std::to_string(Count) + Values;
  }
  case dwarf::DW_TAG_array_type: {
    uint64_t Count = 1;
    for (const DINode *Element : Type->getElements()) {
      const auto *Range = dyn_cast<DISubrange>(Element);
      const auto *Constant = Range ? dyn_cast_if_present<ConstantInt *>(Range->getCount()) : nullptr;
      int64_t One = Constant ? Constant->getSExtValue() : 0;
      Count *= One > 0 ? One : 0;
    }
    return "array " + Size + " " + std::to_string(add(Type->getBaseType())) + " " + std::to_string(Count);
  }
  case dwarf::DW_TAG_structure_type:
  case dwarf::DW_TAG_class_type:
  case dwarf::DW_TAG_union_type: {
    std::string Members;
    unsigned Count = 0;
    for (const DINode *Element : Type->getElements()) {
      const auto *Member = dyn_cast<DIDerivedType>(Element);
      if (!Member || Member->isStaticMember() ||
          (Member->getTag() != dwarf::DW_TAG_member && Member->getTag() != dwarf::DW_TAG_inheritance))
        continue;
      uint64_t Offset = Member->getOffsetInBits();
      bool BitField = Member->isBitField();
      Members += " " + std::to_string(BitField ? 0 : Offset / 8) + " " + (BitField ? std::to_string(Offset) : "0") + " " +
                 (BitField ? std::to_string(Member->getSizeInBits()) : "0") + " " + std::to_string(add(Member->getBaseType())) +
                 " " + encoded(Member->getName());
      ++Count;
    }
    const char *Kind = Type->getTag() == dwarf::DW_TAG_union_type ? "union " : "struct ";
    return Kind + Size + " " + Name + " " + std::to_string(Count) + Members;
  }
  default:
    return "opaque " + Name;
  }
}

} // namespace cct
