#include "module_json.h"

#include "module_json_values.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Operator.h"
#include "llvm/Support/JSON.h"

using namespace llvm;

namespace cc_agent {
namespace {

/// Writes one function's body. Arguments, then instructions, are numbered in order; blocks have numbers of their own.
class FunctionWriter {
public:
  FunctionWriter(json::OStream &out, const Function &function)
      : out(out), function(function), values(out, function.getDataLayout(), [this](const Value &value) { return numberOf(value); }) {
    for (const Argument &argument : function.args())
      numbers.try_emplace(&argument, numbers.size());
    for (const BasicBlock &block : function) {
      blocks.try_emplace(&block, blocks.size());
      for (const Instruction &instruction : block)
        numbers.try_emplace(&instruction, numbers.size());
    }
  }

  void write() {
    out.attributeArray("blocks", [&] {
      for (const BasicBlock &block : function)
        out.array([&] {
          for (const Instruction &instruction : block)
            out.object([&] { writeInstruction(instruction); });
        });
    });
  }

private:
  int64_t numberOf(const Value &value) const {
    auto found = numbers.find(&value);
    return found == numbers.end() ? -1 : int64_t(found->second);
  }

  void writeInstruction(const Instruction &instruction) {
    out.attribute("id", numberOf(instruction));
    out.attribute("op", instruction.getOpcodeName());
    if (instruction.hasName())
      out.attribute("name", json::fixUTF8(instruction.getName()));
    out.attributeBegin("t");
    values.writeType(instruction.getType());
    out.attributeEnd();
    writeOperands(instruction);
    values.writeFlags(cast<Operator>(instruction));
    writeDetails(instruction);
    writeMetadata(instruction);
  }

  void writeOperands(const Instruction &instruction) {
    out.attributeArray("x", [&] {
      if (auto *call = dyn_cast<CallBase>(&instruction)) {
        for (const Use &argument : call->args())
          values.writeValue(*argument);
        return;
      }
      if (auto *choice = dyn_cast<SwitchInst>(&instruction)) {
        values.writeValue(*choice->getCondition());
        return;
      }
      for (const Use &operand : instruction.operands())
        if (!isa<BasicBlock>(operand))
          values.writeValue(*operand);
    });
    if (instruction.isTerminator() && instruction.getNumSuccessors())
      out.attributeArray("to", [&] { // the true branch before the false one, the default before the cases
        for (unsigned index = 0; index < instruction.getNumSuccessors(); ++index)
          out.value(int64_t(blocks.lookup(instruction.getSuccessor(index))));
      });
    if (auto *choice = dyn_cast<SwitchInst>(&instruction))
      out.attributeArray("cases", [&] {
        for (auto &entry : choice->cases())
          values.writeValue(*entry.getCaseValue());
      });
  }

  void writeDetails(const Instruction &instruction) {
    const DataLayout &layout = function.getDataLayout();
    if (auto *compare = dyn_cast<CmpInst>(&instruction))
      out.attribute("predicate", CmpInst::getPredicateName(compare->getPredicate()));
    if (auto *phi = dyn_cast<PHINode>(&instruction))
      out.attributeArray("from", [&] {
        for (const BasicBlock *block : phi->blocks())
          out.value(int64_t(blocks.lookup(block)));
      });
    if (auto *load = dyn_cast<LoadInst>(&instruction))
      writeAccess(load->getAlign(), load->isVolatile(), load->getOrdering());
    if (auto *store = dyn_cast<StoreInst>(&instruction)) {
      out.attributeBegin("stored");
      values.writeType(store->getValueOperand()->getType());
      out.attributeEnd();
      writeAccess(store->getAlign(), store->isVolatile(), store->getOrdering());
    }
    if (auto *compare = dyn_cast<CmpInst>(&instruction)) {
      out.attributeBegin("compared");
      values.writeType(compare->getOperand(0)->getType());
      out.attributeEnd();
    }
    if (auto *cast = dyn_cast<CastInst>(&instruction)) {
      out.attributeBegin("from_type");
      values.writeType(cast->getSrcTy());
      out.attributeEnd();
    }
    if (auto *slot = dyn_cast<AllocaInst>(&instruction)) {
      out.attributeBegin("allocated");
      values.writeType(slot->getAllocatedType());
      out.attributeEnd();
      auto bytes = slot->getAllocationSize(layout);
      out.attribute("bytes", bytes && !bytes->isScalable() ? int64_t(bytes->getFixedValue()) : int64_t(-1));
      out.attribute("align", int64_t(slot->getAlign().value()));
      out.attribute("static", slot->isStaticAlloca() && !slot->isUsedWithInAlloca() && !slot->isSwiftError());
    }
    if (auto *address = dyn_cast<GEPOperator>(&instruction))
      values.writeSteps(*address);
    if (auto *extract = dyn_cast<ExtractValueInst>(&instruction))
      out.attributeArray("indices", [&] { writeIndices(extract->indices()); });
    if (auto *insert = dyn_cast<InsertValueInst>(&instruction))
      out.attributeArray("indices", [&] { writeIndices(insert->indices()); });
    if (auto *shuffle = dyn_cast<ShuffleVectorInst>(&instruction))
      out.attributeArray("mask", [&] { writeIndices(shuffle->getShuffleMask()); });
    if (auto *call = dyn_cast<CallBase>(&instruction))
      writeCall(*call);
  }

  template <typename Range> void writeIndices(const Range &indices) {
    for (auto index : indices)
      out.value(int64_t(index));
  }

  void writeAccess(Align align, bool isVolatile, AtomicOrdering ordering) {
    out.attribute("align", int64_t(align.value()));
    if (isVolatile)
      out.attribute("volatile", true);
    if (ordering != AtomicOrdering::NotAtomic)
      out.attribute("atomic", toIRString(ordering));
  }

  void writeCall(const CallBase &call) {
    if (auto *assembly = dyn_cast<InlineAsm>(call.getCalledOperand())) {
      out.attribute("asm", json::fixUTF8((assembly->getAsmString() + "\n" + assembly->getConstraintString() + (assembly->hasSideEffects() ? "\nsideeffect" : "")).str()));
    } else {
      out.attributeBegin("callee");
      values.writeValue(*call.getCalledOperand());
      out.attributeEnd();
    }
    if (const Function *callee = call.getCalledFunction(); callee && callee->isIntrinsic())
      out.attribute("intrinsic", Intrinsic::getBaseName(callee->getIntrinsicID()));
    if (call.isMustTailCall())
      out.attribute("musttail", true);
    if (auto *plain = dyn_cast<CallInst>(&call); plain && plain->isNoTailCall())
      out.attribute("notail", true);
    if (auto *plain = dyn_cast<CallInst>(&call); plain && plain->isTailCall())
      out.attribute("tail", true);
    out.attribute("convention", int64_t(call.getCallingConv()));
    values.writeAttributes("attributes", call.getAttributes(), call.arg_size());
    out.attributeArray("bundles", [&] {
      for (unsigned index = 0; index < call.getNumOperandBundles(); ++index)
        out.value(json::fixUTF8(call.getOperandBundleAt(index).getTagName()));
    });
  }

  void writeMetadata(const Instruction &instruction) {
    SmallVector<std::pair<unsigned, MDNode *>, 4> attached;
    instruction.getAllMetadataOtherThanDebugLoc(attached);
    SmallVector<StringRef> names;
    instruction.getContext().getMDKindNames(names);
    llvm::erase_if(attached, [](auto &entry) { return entry.first == LLVMContext::MD_prof || entry.first == LLVMContext::MD_DIAssignID; });
    if (attached.empty())
      return;
    out.attributeObject("metadata", [&] {
      for (auto &[kind, node] : attached)
        out.attribute(json::fixUTF8(names[kind]), values.describeMetadata(*node));
    });
  }

  json::OStream &out;
  const Function &function;
  ValueWriter values;
  DenseMap<const Value *, unsigned> numbers;
  DenseMap<const BasicBlock *, unsigned> blocks;
};

void writeFunction(json::OStream &out, const Function &function, const TargetLibraryInfoImpl &libraryFunctions) {
  ValueWriter values(out, function.getDataLayout(), [](const Value &) { return int64_t(-1); });
  out.attribute("name", json::fixUTF8(function.getName()));
  out.attribute("defined", !function.isDeclaration());
  out.attribute("local", function.hasLocalLinkage());
  out.attribute("exact", function.hasExactDefinition());
  LibFunc known;
  out.attribute("library", libraryFunctions.getLibFunc(function, known));
  out.attribute("variadic", function.isVarArg());
  out.attribute("convention", int64_t(function.getCallingConv()));
  out.attributeBegin("result");
  values.writeType(function.getReturnType());
  out.attributeEnd();
  out.attributeArray("arguments", [&] {
    for (const Argument &argument : function.args())
      out.object([&] {
        out.attribute("name", json::fixUTF8(argument.getName()));
        out.attributeBegin("t");
        values.writeType(argument.getType());
        out.attributeEnd();
      });
  });
  values.writeAttributes("attributes", function.getAttributes(), function.arg_size());
  if (function.isDeclaration())
    return;
  std::string other;
  if (function.hasPersonalityFn())
    other += "personality ";
  if (function.hasPrefixData() || function.hasPrologueData())
    other += "prefix ";
  if (function.hasGC())
    other += "gc ";
  out.attribute("other", StringRef(other).rtrim());
  FunctionWriter(out, function).write();
}

void writeGlobal(json::OStream &out, const GlobalVariable &global) {
  const DataLayout &layout = global.getDataLayout();
  ValueWriter values(out, layout, [](const Value &) { return int64_t(-1); });
  out.attribute("name", json::fixUTF8(global.getName()));
  out.attribute("bytes", int64_t(layout.getTypeAllocSize(global.getValueType()).getFixedValue()));
  out.attribute("align", int64_t(global.getPointerAlignment(layout).value()));
  out.attribute("constant", global.isConstant());
  out.attribute("local", global.hasLocalLinkage());
  out.attribute("thread_local", global.isThreadLocal());
  out.attribute("extern_weak", global.hasExternalWeakLinkage());
  out.attribute("unnamed_address", global.hasGlobalUnnamedAddr());
  out.attribute("definitive", global.hasDefinitiveInitializer());
  if (global.hasInitializer())
    values.writeInitializer(*global.getInitializer());
}

} // namespace

std::string moduleAsJson(Module &module) {
  std::string text;
  raw_string_ostream stream(text);
  json::OStream out(stream);
  TargetLibraryInfoImpl libraryFunctions(module.getTargetTriple());
  out.object([&] {
    out.attribute("format", "cc-agent-module");
    out.attribute("version", 1);
    out.attribute("triple", module.getTargetTriple().str());
    out.attribute("layout", module.getDataLayout().getStringRepresentation());
    out.attributeArray("globals", [&] {
      for (const GlobalVariable &global : module.globals())
        out.object([&] { writeGlobal(out, global); });
    });
    out.attributeArray("aliases", [&] {
      for (const GlobalAlias &alias : module.aliases())
        out.value(json::fixUTF8(alias.getName()));
      for (const GlobalIFunc &ifunc : module.ifuncs())
        out.value(json::fixUTF8(ifunc.getName()));
    });
    out.attributeArray("functions", [&] {
      for (const Function &function : module)
        if (!function.isIntrinsic() || function.hasAddressTaken())
          out.object([&] { writeFunction(out, function, libraryFunctions); });
    });
  });
  return text;
}

} // namespace cc_agent
