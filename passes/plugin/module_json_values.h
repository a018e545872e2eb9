// The parts of module_json that types, constants, attributes and metadata need.
#pragma once
#include "llvm/IR/Attributes.h"
#include "llvm/IR/DataLayout.h"
#include "llvm/IR/Operator.h"
#include "llvm/Support/JSON.h"
#include <functional>
#include <string>

namespace cc_agent {

/// Writes values as arrays: ["v", number], ["i", width, "unsigned decimal"], ["f", type, "hexadecimal bits"], ["null"],
/// ["g", name], ["undef", type], ["poison", type], ["zero", type], ["seq", type, [elements]], ["bytes", type, "hex"],
/// ["gep", …], ["cast", …], ["md"], ["other", text].
class ValueWriter {
public:
  /// `numberOf` gives the number of an argument or instruction.
  ValueWriter(llvm::json::OStream &out, const llvm::DataLayout &layout, std::function<int64_t(const llvm::Value &)> numberOf)
      : out(out), layout(layout), numberOf(std::move(numberOf)) {}

  void writeType(llvm::Type *type);
  void writeValue(const llvm::Value &value);
  /// "f": ["nuw", "nsw", …]; nothing where there are none.
  void writeFlags(const llvm::Operator &operation);
  /// "steps": [[index, stride in bytes], …]: the address is the pointer plus the sum; a structure's field has stride 1.
  void writeSteps(const llvm::GEPOperator &address);
  /// `name`: {"function": […], "result": […], "arguments": [[…], …]}, each attribute as its text.
  void writeAttributes(llvm::StringRef name, llvm::AttributeList attributes, unsigned arguments);
  /// "initializer": [[offset, value], …], scalars only; zeros are left out.
  void writeInitializer(const llvm::Constant &initializer);
  /// A node as text, by content: nodes of two modules are equal if their texts are.
  std::string describeMetadata(const llvm::MDNode &node);

private:
  void writeConstant(const llvm::Constant &constant);
  void writeExpression(const llvm::ConstantExpr &expression);
  void writeParts(const llvm::Constant &constant, uint64_t offset);
  llvm::json::OStream &out;
  const llvm::DataLayout &layout;
  std::function<int64_t(const llvm::Value &)> numberOf;
};

} // namespace cc_agent
