#include "value_hashes.h"

#include "hash_stream.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/DebugInfoMetadata.h"
#include "llvm/IR/Function.h"
#include "llvm/IR/Operator.h"

using namespace llvm;

namespace cc_agent {
namespace {

void addBits(HashStream &into, const APInt &value) {
  for (unsigned word = 0; word < value.getNumWords(); ++word)
    into.add(value.getRawData()[word]);
}

} // namespace

bool isDebugMetadata(const MDNode *node) {
  return isa<DINode>(node) || isa<DILocation>(node) || isa<DIExpression>(node) || isa<DIAssignID>(node);
}

uint64_t ValueHashes::typeHash(const Type *type) {
  if (auto found = typeHashes.find(type); found != typeHashes.end())
    return found->second;
  HashStream local;
  local.add(TypeTag);
  local.add(type->getTypeID());
  switch (type->getTypeID()) {
  case Type::IntegerTyID:
    local.add(type->getIntegerBitWidth());
    break;
  case Type::PointerTyID:
    local.add(type->getPointerAddressSpace());
    break;
  case Type::ArrayTyID:
    local.add(type->getArrayNumElements());
    break;
  case Type::FixedVectorTyID:
  case Type::ScalableVectorTyID:
    local.add(cast<VectorType>(type)->getElementCount().getKnownMinValue());
    break;
  case Type::FunctionTyID:
    local.add(cast<FunctionType>(type)->isVarArg());
    break;
  case Type::StructTyID:
    local.add(cast<StructType>(type)->isPacked());
    local.add(cast<StructType>(type)->isOpaque());
    break;
  case Type::TargetExtTyID:
    local.add(cast<TargetExtType>(type)->getName());
    for (unsigned parameter : cast<TargetExtType>(type)->int_params())
      local.add(parameter);
    break;
  default:
    break;
  }
  local.add(type->getNumContainedTypes());
  for (const Type *inner : type->subtypes())
    local.add(typeHash(inner));
  return typeHashes[type] = local.digest64();
}

uint64_t ValueHashes::attributesHash(AttributeList attributes) {
  void *key = attributes.getRawPointer();
  if (!key)
    return 0;
  if (auto found = attributeHashes.find(key); found != attributeHashes.end())
    return found->second;
  HashStream local;
  local.add(AttributeTag);
  for (unsigned index : attributes.indexes()) {
    local.add(index);
    for (const Attribute &attribute : attributes.getAttributes(index)) {
      if (attribute.isTypeAttribute()) { // by structure: a struct's name is not code
        local.add(attribute.getKindAsEnum());
        local.add(attribute.getValueAsType() ? typeHash(attribute.getValueAsType()) : 0);
      } else {
        local.add(attribute.getAsString());
      }
    }
  }
  return attributeHashes[key] = local.digest64();
}

uint64_t ValueHashes::constantHash(const Constant *constant) {
  if (auto *global = dyn_cast<GlobalValue>(constant)) {
    HashStream local;
    local.add(GlobalTag);
    local.add(global->getName());
    if (!global->hasName())
      local.add(unnamedNumber(global));
    return local.digest64();
  }
  if (auto found = constantHashes.find(constant); found != constantHashes.end())
    return found->second;
  HashStream local;
  local.add(ConstantTag);
  local.add(constant->getValueID());
  local.add(typeHash(constant->getType()));
  if (auto *integer = dyn_cast<ConstantInt>(constant)) {
    addBits(local, integer->getValue());
  } else if (auto *real = dyn_cast<ConstantFP>(constant)) {
    addBits(local, real->getValueAPF().bitcastToAPInt());
  } else if (auto *data = dyn_cast<ConstantDataSequential>(constant)) {
    local.add(data->getRawDataValues());
  } else if (auto *address = dyn_cast<BlockAddress>(constant)) {
    local.add(address->getFunction()->getName());
    unsigned number = 0;
    for (const BasicBlock &block : *address->getFunction()) {
      if (&block == address->getBasicBlock())
        break;
      ++number;
    }
    local.add(number);
  } else {
    if (auto *expression = dyn_cast<ConstantExpr>(constant))
      local.add(expression->getOpcode());
    if (auto *element = dyn_cast<GEPOperator>(constant)) {
      local.add(typeHash(element->getSourceElementType()));
      local.add(element->getNoWrapFlags().getRaw());
      if (auto range = element->getInRange()) {
        addBits(local, range->getLower());
        addBits(local, range->getUpper());
      }
    } else if (auto *wrapping = dyn_cast<OverflowingBinaryOperator>(constant)) {
      local.add(uint64_t(wrapping->hasNoUnsignedWrap()) << 1 | uint64_t(wrapping->hasNoSignedWrap()));
    }
    for (const Use &operand : constant->operands())
      local.add(constantHash(cast<Constant>(operand)));
  }
  return constantHashes[constant] = local.digest64();
}

unsigned ValueHashes::unnamedNumber(const GlobalValue *wanted) {
  if (unnamedNumbers.empty())
    for (const GlobalValue &value : module.global_values())
      if (!value.hasName())
        unnamedNumbers[&value] = unnamedNumbers.size();
  return unnamedNumbers.lookup(wanted);
}

uint64_t ValueHashes::metadataHash(const Metadata *metadata) {
  HashStream local;
  local.add(MetadataTag);
  if (auto *text = dyn_cast_or_null<MDString>(metadata)) {
    local.add(text->getString());
  } else if (auto *value = dyn_cast_or_null<ConstantAsMetadata>(metadata)) {
    local.add(constantHash(value->getValue()));
  } else if (auto *node = dyn_cast_or_null<MDNode>(metadata)) {
    if (auto found = metadataHashes.find(node); found != metadataHashes.end())
      return found->second;
    if (node->isDistinct()) { // an identity of its own, in order of appearance; also what ends a cycle
      auto [entry, isNew] = distinctNumbers.try_emplace(node, distinctNumbers.size());
      local.add(entry->second);
      if (!isNew)
        return local.digest64();
    }
    for (const MDOperand &operand : node->operands()) {
      auto *inner = dyn_cast_or_null<MDNode>(operand.get());
      if (inner && isDebugMetadata(inner)) // a loop's start and end lines
        continue;
      local.add(metadataHash(operand.get()));
    }
    return metadataHashes[node] = local.digest64();
  } else {
    local.add(AbsentTag);
  }
  return local.digest64();
}

} // namespace cc_agent
