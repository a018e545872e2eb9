#include "module_json_values.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/DerivedTypes.h"
#include "llvm/IR/GetElementPtrTypeIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/Metadata.h"

using namespace llvm;

namespace cc_agent {
namespace {

std::string printed(const Type &type) {
  std::string text;
  raw_string_ostream(text) << type;
  return text;
}

std::string decimal(const APInt &number) {
  SmallString<40> text;
  number.toStringUnsigned(text);
  return text.str().str();
}

std::string hexadecimal(const APInt &bits) {
  SmallString<40> text;
  bits.toString(text, 16, /*Signed=*/false);
  return text.str().str();
}

/// Metadata that is its own operand (a distinct identity, as a loop has), or nested deeper than anything that matters.
constexpr unsigned deepestMetadata = 12;

void describe(const Metadata *metadata, raw_ostream &text, unsigned depth) {
  if (!metadata) {
    text << "null";
  } else if (auto *string = dyn_cast<MDString>(metadata)) {
    text << '"';
    printEscapedString(string->getString(), text);
    text << '"';
  } else if (auto *constant = dyn_cast<ConstantAsMetadata>(metadata)) {
    constant->getValue()->printAsOperand(text, /*PrintType=*/true);
  } else if (auto *node = dyn_cast<MDNode>(metadata); node && depth < deepestMetadata && isa<MDTuple>(node)) {
    text << (node->isDistinct() ? "distinct(" : "(");
    for (unsigned index = 0; index < node->getNumOperands(); ++index) {
      if (index)
        text << ' ';
      const Metadata *operand = node->getOperand(index).get();
      if (operand == node)
        text << "self";
      else if (operand && isa<DILocation>(operand))
        text << "location";
      else
        describe(operand, text, depth + 1);
    }
    text << ')';
  } else {
    text << "unknown";
  }
}

} // namespace

void ValueWriter::writeType(Type *type) {
  if (type->isIntegerTy() || type->isVoidTy() || type->isHalfTy() || type->isBFloatTy() || type->isFloatTy() || type->isDoubleTy() ||
      type->isX86_FP80Ty() || type->isFP128Ty() || (type->isPointerTy() && type->getPointerAddressSpace() == 0)) {
    out.value(printed(*type));
    return;
  }
  out.object([&] {
    auto sizes = [&](Type *sized) {
      out.attribute("bytes", int64_t(layout.getTypeAllocSize(sized).getFixedValue()));
    };
    if (auto *structure = dyn_cast<StructType>(type); structure && structure->isSized() && !structure->isScalableTy()) {
      out.attribute("k", "struct");
      sizes(type);
      out.attributeArray("of", [&] {
        for (Type *element : structure->elements())
          writeType(element);
      });
      out.attributeArray("offsets", [&] {
        for (TypeSize offset : layout.getStructLayout(structure)->getMemberOffsets())
          out.value(int64_t(offset.getFixedValue()));
      });
    } else if (auto *array = dyn_cast<ArrayType>(type); array && array->isSized()) {
      out.attribute("k", "array");
      sizes(type);
      out.attribute("n", int64_t(array->getNumElements()));
      out.attribute("stride", int64_t(layout.getTypeAllocSize(array->getElementType()).getFixedValue()));
      out.attributeBegin("of");
      writeType(array->getElementType());
      out.attributeEnd();
    } else if (auto *vector = dyn_cast<FixedVectorType>(type)) {
      out.attribute("k", "vector");
      sizes(type);
      out.attribute("n", int64_t(vector->getNumElements()));
      out.attribute("bits", int64_t(layout.getTypeSizeInBits(vector->getElementType()).getFixedValue()));
      out.attributeBegin("of");
      writeType(vector->getElementType());
      out.attributeEnd();
    } else {
      out.attribute("k", "other");
      out.attribute("text", json::fixUTF8(printed(*type)));
    }
  });
}

void ValueWriter::writeValue(const Value &value) {
  if (int64_t number = numberOf(value); number >= 0)
    out.array([&] {
      out.value("v");
      out.value(number);
    });
  else if (auto *constant = dyn_cast<Constant>(&value))
    writeConstant(*constant);
  else
    out.array([&] {
      if (isa<MetadataAsValue>(value)) {
        out.value("md");
        return;
      }
      std::string text;
      raw_string_ostream(text) << value;
      out.value("other");
      out.value(json::fixUTF8(text));
    });
}

void ValueWriter::writeConstant(const Constant &constant) {
  out.array([&] {
    auto withType = [&](StringRef kind) {
      out.value(kind);
      writeType(constant.getType());
    };
    if (auto *integer = dyn_cast<ConstantInt>(&constant); integer && integer->getType()->isIntegerTy()) {
      out.value("i");
      out.value(int64_t(integer->getBitWidth()));
      out.value(decimal(integer->getValue()));
    } else if (auto *real = dyn_cast<ConstantFP>(&constant); real && !real->getType()->isVectorTy()) {
      withType("f");
      out.value(hexadecimal(real->getValueAPF().bitcastToAPInt()));
    } else if (isa<ConstantPointerNull>(constant)) {
      withType("null");
    } else if (isa<PoisonValue>(constant)) {
      withType("poison");
    } else if (isa<UndefValue>(constant)) {
      withType("undef");
    } else if (isa<ConstantAggregateZero>(constant)) {
      withType("zero");
    } else if (auto *global = dyn_cast<GlobalValue>(&constant)) {
      out.value("g");
      out.value(json::fixUTF8(global->getName()));
    } else if (isa<ConstantAggregate>(constant) || isa<ConstantDataSequential>(constant) ||
               (constant.getType()->isVectorTy() && isa<FixedVectorType>(constant.getType()) && constant.getSplatValue())) {
      withType("seq");
      unsigned count = 0;
      if (auto *vector = dyn_cast<FixedVectorType>(constant.getType()))
        count = vector->getNumElements();
      else if (auto *array = dyn_cast<ArrayType>(constant.getType()))
        count = unsigned(array->getNumElements());
      else
        count = constant.getNumOperands();
      out.array([&] {
        for (unsigned index = 0; index < count; ++index)
          writeConstant(*constant.getAggregateElement(index));
      });
    } else if (auto *expression = dyn_cast<ConstantExpr>(&constant)) {
      writeExpression(*expression);
    } else {
      std::string text;
      raw_string_ostream(text) << constant;
      out.value("other");
      out.value(json::fixUTF8(text));
    }
  });
}

void ValueWriter::writeExpression(const ConstantExpr &expression) {
  out.value("expression");
  out.object([&] {
    out.attribute("op", expression.getOpcodeName());
    out.attributeBegin("t");
    writeType(expression.getType());
    out.attributeEnd();
    out.attributeArray("x", [&] {
      for (const Use &operand : expression.operands())
        writeValue(*operand);
    });
    writeFlags(cast<Operator>(expression));
    if (auto *address = dyn_cast<GEPOperator>(&expression))
      writeSteps(*address);
  });
}

void ValueWriter::writeFlags(const Operator &operation) {
  SmallVector<StringRef> flags;
  if (auto *wrapping = dyn_cast<OverflowingBinaryOperator>(&operation)) {
    if (wrapping->hasNoUnsignedWrap())
      flags.push_back("nuw");
    if (wrapping->hasNoSignedWrap())
      flags.push_back("nsw");
  }
  if (auto *truncation = dyn_cast<TruncInst>(&operation)) {
    if (truncation->hasNoUnsignedWrap())
      flags.push_back("nuw");
    if (truncation->hasNoSignedWrap())
      flags.push_back("nsw");
  }
  if (auto *exact = dyn_cast<PossiblyExactOperator>(&operation); exact && exact->isExact())
    flags.push_back("exact");
  if (auto *disjoint = dyn_cast<PossiblyDisjointInst>(&operation); disjoint && disjoint->isDisjoint())
    flags.push_back("disjoint");
  if (auto *extension = dyn_cast<PossiblyNonNegInst>(&operation); extension && extension->hasNonNeg())
    flags.push_back("nneg");
  if (auto *compare = dyn_cast<ICmpInst>(&operation); compare && compare->hasSameSign())
    flags.push_back("samesign");
  if (auto *address = dyn_cast<GEPOperator>(&operation)) {
    GEPNoWrapFlags kinds = address->getNoWrapFlags();
    if (kinds.isInBounds())
      flags.push_back("inbounds");
    else if (kinds.hasNoUnsignedSignedWrap())
      flags.push_back("nusw");
    if (kinds.hasNoUnsignedWrap())
      flags.push_back("nuw");
    if (address->getInRange())
      flags.push_back("inrange");
  }
  if (auto *real = dyn_cast<FPMathOperator>(&operation); real && real->getFastMathFlags().any())
    flags.push_back("fast-math");
  if (flags.empty())
    return;
  out.attributeArray("f", [&] {
    for (StringRef flag : flags)
      out.value(flag);
  });
}

void ValueWriter::writeSteps(const GEPOperator &address) {
  out.attributeArray("steps", [&] {
    for (auto step = gep_type_begin(address), end = gep_type_end(address); step != end; ++step)
      out.array([&] {
        if (StructType *structure = step.getStructTypeOrNull()) {
          // A vector of indices is a splat here, and then the instruction's type is a vector: the reader refuses that.
          const APInt &field = cast<Constant>(step.getOperand())->getUniqueInteger();
          out.array([&] {
            out.value("i");
            out.value(int64_t(64));
            out.value(std::to_string(layout.getStructLayout(structure)->getElementOffset(unsigned(field.getZExtValue())).getFixedValue()));
          });
          out.value(int64_t(1));
        } else {
          writeValue(*step.getOperand());
          TypeSize stride = step.getSequentialElementStride(layout);
          out.value(stride.isScalable() ? int64_t(-1) : int64_t(stride.getFixedValue()));
        }
      });
  });
}

void ValueWriter::writeAttributes(StringRef name, AttributeList attributes, unsigned arguments) {
  auto texts = [&](AttributeSet set) {
    for (Attribute attribute : set)
      out.value(json::fixUTF8(attribute.getAsString()));
  };
  out.attributeObject(name, [&] {
    out.attributeArray("function", [&] { texts(attributes.getFnAttrs()); });
    out.attributeArray("result", [&] { texts(attributes.getRetAttrs()); });
    out.attributeArray("arguments", [&] {
      for (unsigned index = 0; index < arguments; ++index)
        out.array([&] { texts(attributes.getParamAttrs(index)); });
    });
  });
}

void ValueWriter::writeInitializer(const Constant &initializer) {
  out.attributeArray("initializer", [&] { writeParts(initializer, 0); });
}

void ValueWriter::writeParts(const Constant &constant, uint64_t offset) {
  if (constant.isNullValue())
    return;
  Type *type = constant.getType();
  if (auto *data = dyn_cast<ConstantDataSequential>(&constant); data && !isa<VectorType>(type)) {
    out.array([&] { // long tables and strings: their bytes are what they are
      out.value(int64_t(offset));
      out.array([&] {
        out.value("bytes");
        out.value(toHex(data->getRawDataValues()));
      });
    });
    return;
  }
  if (auto *structure = dyn_cast<StructType>(type); structure && isa<ConstantStruct>(constant)) {
    const StructLayout *places = layout.getStructLayout(structure);
    for (unsigned index = 0; index < structure->getNumElements(); ++index)
      writeParts(*constant.getAggregateElement(index), offset + places->getElementOffset(index).getFixedValue());
    return;
  }
  if (auto *array = dyn_cast<ArrayType>(type); array && isa<ConstantArray>(constant)) {
    uint64_t stride = layout.getTypeAllocSize(array->getElementType()).getFixedValue();
    for (uint64_t index = 0; index < array->getNumElements(); ++index)
      writeParts(*constant.getAggregateElement(unsigned(index)), offset + index * stride);
    return;
  }
  out.array([&] {
    out.value(int64_t(offset));
    writeConstant(constant);
  });
}

std::string ValueWriter::describeMetadata(const MDNode &node) {
  std::string text;
  raw_string_ostream stream(text);
  describe(&node, stream, 0);
  return json::fixUTF8(text);
}

} // namespace cc_agent
