#include "fingerprint.h"

#include "hash_stream.h"
#include "source_paths.h"
#include "value_hashes.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/DebugInfoMetadata.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace cc_agent {
namespace {

bool isDebugDeclaration(const Function &function) { return function.getName().starts_with("llvm.dbg."); }

/// A loop's identity that only carries its source lines, which -g gives to loops that have none without it.
bool isEmptyLoop(const MDNode *node) {
  return all_of(node->operands(), [&](const MDOperand &operand) { return operand.get() == node || isa_and_nonnull<DILocation>(operand.get()); });
}

class Fingerprinter {
public:
  explicit Fingerprinter(const Module &module) : module(module), hashes(module) {}

  std::string run() {
    stream.add(ModuleTag);
    stream.add(module.getDataLayoutStr());
    stream.add(module.getTargetTriple().str());
    stream.add(module.getModuleInlineAsm());
    for (const GlobalVariable &variable : module.globals())
      addVariable(variable);
    for (const GlobalAlias &alias : module.aliases()) {
      addGlobalValue(alias);
      addConstant(alias.getAliasee());
    }
    for (const GlobalIFunc &ifunc : module.ifuncs()) {
      addGlobalValue(ifunc);
      addConstant(ifunc.getResolver());
    }
    for (const Function &function : module)
      if (!isDebugDeclaration(function))
        addFunction(function);
    for (const NamedMDNode &named : module.named_metadata())
      addNamedMetadata(named);
    return stream.digest();
  }

private:
  const Module &module;
  HashStream stream;
  ValueHashes hashes;
  DenseMap<const Value *, unsigned> localNumbers;
  SmallVector<StringRef> metadataKindNames;
  SmallVector<StringRef> syncScopeNames;

  void addType(const Type *type) { stream.add(hashes.typeHash(type)); }
  void addConstant(const Constant *constant) { stream.add(hashes.constantHash(constant)); }

  void addNamedMetadata(const NamedMDNode &named) {
    StringRef name = named.getName();
    if (name == "llvm.ident" || name == "llvm.commandline" || name.starts_with("llvm.dbg.") || name == "llvm.gcov")
      return;
    stream.add(name);
    for (const MDNode *node : named.operands()) {
      if (name == "llvm.module.flags" && node->getNumOperands() > 1) {
        auto *flag = dyn_cast_or_null<MDString>(node->getOperand(1));
        if (flag && is_contained({"Debug Info Version", "Dwarf Version", "DWARF64", "debug-info-assignment-tracking"}, flag->getString()))
          continue;
      }
      stream.add(hashes.metadataHash(node));
    }
  }

  void addAttachments(ArrayRef<std::pair<unsigned, MDNode *>> attachments) {
    for (const auto &[kind, node] : attachments) {
      if (isDebugMetadata(node) || kind == LLVMContext::MD_dbg || kind == LLVMContext::MD_DIAssignID ||
          (kind == LLVMContext::MD_loop && isEmptyLoop(node)))
        continue;
      if (metadataKindNames.empty())
        module.getContext().getMDKindNames(metadataKindNames);
      StringRef name = metadataKindNames[kind];
      if (name == "srcloc" || name == "heapallocsite") // where in the source, for messages and debuggers only
        continue;
      stream.add(name);
      stream.add(hashes.metadataHash(node));
    }
  }

  void addGlobalValue(const GlobalValue &value) {
    stream.add(GlobalTag);
    stream.add(value.getName());
    stream.add(value.getValueID());
    addType(value.getValueType());
    stream.add(uint64_t(value.getLinkage()) | uint64_t(value.getVisibility()) << 8 | uint64_t(value.getUnnamedAddr()) << 16 |
               uint64_t(value.getDLLStorageClass()) << 24 | uint64_t(value.getThreadLocalMode()) << 32 | uint64_t(value.isDSOLocal()) << 40 |
               uint64_t(value.getAddressSpace()) << 48);
    stream.add(value.getPartition());
  }

  void addGlobalObject(const GlobalObject &object) {
    addGlobalValue(object);
    stream.add(object.getSection());
    MaybeAlign align = isa<Function>(object) ? cast<Function>(object).getAlign() : cast<GlobalVariable>(object).getAlign();
    stream.add(align ? align->value() : 0);
    if (const Comdat *comdat = object.getComdat()) {
      stream.add(comdat->getName());
      stream.add(uint64_t(comdat->getSelectionKind()));
    }
    SmallVector<std::pair<unsigned, MDNode *>> attachments;
    object.getAllMetadata(attachments);
    addAttachments(attachments);
  }

  void addVariable(const GlobalVariable &variable) {
    if (addSourcePath(variable))
      return;
    addGlobalObject(variable);
    stream.add(uint64_t(variable.isConstant()) << 1 | uint64_t(variable.isExternallyInitialized()));
    stream.add(variable.getAttributes().getAsString());
    if (auto model = variable.getCodeModel())
      stream.add(uint64_t(*model) + 1);
    if (variable.hasSanitizerMetadata()) {
      GlobalValue::SanitizerMetadata how = variable.getSanitizerMetadata();
      stream.add(uint64_t(how.NoAddress) | uint64_t(how.NoHWAddress) << 1 | uint64_t(how.Memtag) << 2 |
                 uint64_t(how.IsDynInit) << 3 | uint64_t(1) << 8);
    }
    if (variable.hasInitializer())
      addConstant(variable.getInitializer());
    else
      stream.add(AbsentTag);
  }

  /// A private string that holds a source path counts by its file name alone, or, for this module's own source, by that role.
  bool addSourcePath(const GlobalVariable &variable) {
    if (!variable.hasPrivateLinkage() || !variable.isConstant() || !variable.hasInitializer())
      return false;
    auto *data = dyn_cast<ConstantDataSequential>(variable.getInitializer());
    if (!data || !data->isCString())
      return false;
    StringRef text = data->getAsCString();
    StringRef own = module.getSourceFileName();
    std::string kept;
    if (text == own)
      kept = "<own source>";
    else if (looksLikeSourcePath(text, sys::path::parent_path(own)))
      kept = sys::path::filename(text).str();
    else if (text.contains(" at "))
      kept = withoutTypeDirectories(text);
    else
      return false;
    stream.add(GlobalTag); // the type is left out: it holds the path's length
    stream.add(variable.getName());
    stream.add(variable.getSection());
    stream.add(uint64_t(variable.getUnnamedAddr()) << 32 | uint64_t(variable.getAlign().valueOrOne().value()));
    stream.add(kept);
    return true;
  }

  void addFunction(const Function &function) {
    addGlobalObject(function);
    stream.add(FunctionTag);
    stream.add(function.getCallingConv());
    stream.add(hashes.attributesHash(function.getAttributes()));
    stream.add(function.hasGC() ? StringRef(function.getGC()) : StringRef());
    for (const Constant *extra : {function.hasPersonalityFn() ? function.getPersonalityFn() : nullptr,
                                  function.hasPrefixData() ? function.getPrefixData() : nullptr,
                                  function.hasPrologueData() ? function.getPrologueData() : nullptr})
      stream.add(extra ? hashes.constantHash(extra) : uint64_t(AbsentTag));
    if (function.isDeclaration())
      return;
    localNumbers.clear();
    for (const Argument &argument : function.args())
      localNumbers[&argument] = localNumbers.size();
    for (const BasicBlock &block : function) {
      localNumbers[&block] = localNumbers.size();
      for (const Instruction &instruction : block)
        localNumbers[&instruction] = localNumbers.size();
    }
    for (const BasicBlock &block : function) {
      stream.add(BlockTag);
      for (const Instruction &instruction : block)
        addInstruction(instruction);
    }
  }

  void addValue(const Value *value) {
    if (auto *constant = dyn_cast<Constant>(value)) {
      addConstant(constant);
    } else if (auto *assembly = dyn_cast<InlineAsm>(value)) {
      stream.add(assembly->getAsmString());
      stream.add(assembly->getConstraintString());
      stream.add(uint64_t(assembly->hasSideEffects()) | uint64_t(assembly->isAlignStack()) << 1 |
                 uint64_t(assembly->getDialect()) << 2 | uint64_t(assembly->canThrow()) << 3);
    } else if (auto *wrapped = dyn_cast<MetadataAsValue>(value)) {
      auto *local = dyn_cast<ValueAsMetadata>(wrapped->getMetadata());
      if (local && !isa<Constant>(local->getValue()))
        addValue(local->getValue());
      else
        stream.add(hashes.metadataHash(wrapped->getMetadata()));
    } else {
      stream.add(uint64_t(LocalTag) << 32 | localNumbers.lookup(value));
    }
  }

  void addInstruction(const Instruction &instruction) {
    stream.add(uint64_t(InstructionTag) << 48 | uint64_t(instruction.getOpcode()) << 32 | instruction.getNumOperands());
    addType(instruction.getType());
    stream.add(uint64_t(instruction.getRawSubclassOptionalData()));
    for (const Use &operand : instruction.operands())
      addValue(operand);
    addDetails(instruction);
    if (instruction.hasMetadataOtherThanDebugLoc()) {
      SmallVector<std::pair<unsigned, MDNode *>> attachments;
      instruction.getAllMetadataOtherThanDebugLoc(attachments);
      addAttachments(attachments);
    }
  }

  void addAtomic(bool isVolatile, AtomicOrdering ordering, SyncScope::ID scope) {
    stream.add(uint64_t(isVolatile) | uint64_t(ordering) << 8);
    if (ordering == AtomicOrdering::NotAtomic)
      return;
    if (syncScopeNames.empty())
      module.getContext().getSyncScopeNames(syncScopeNames);
    stream.add(scope < syncScopeNames.size() ? syncScopeNames[scope] : StringRef());
  }

  /// What an instruction carries besides opcode, type, flags and operands.
  void addDetails(const Instruction &instruction) {
    if (auto *call = dyn_cast<CallBase>(&instruction)) {
      addType(call->getFunctionType());
      stream.add(call->getCallingConv());
      stream.add(hashes.attributesHash(call->getAttributes()));
      if (auto *plain = dyn_cast<CallInst>(call))
        stream.add(plain->getTailCallKind());
      for (unsigned index = 0; index < call->getNumOperandBundles(); ++index) {
        OperandBundleUse bundle = call->getOperandBundleAt(index);
        stream.add(bundle.getTagName());
        stream.add(bundle.Inputs.size());
      }
    } else if (auto *load = dyn_cast<LoadInst>(&instruction)) {
      stream.add(load->getAlign().value());
      addAtomic(load->isVolatile(), load->getOrdering(), load->getSyncScopeID());
    } else if (auto *store = dyn_cast<StoreInst>(&instruction)) {
      stream.add(store->getAlign().value());
      addAtomic(store->isVolatile(), store->getOrdering(), store->getSyncScopeID());
    } else if (auto *exchange = dyn_cast<AtomicCmpXchgInst>(&instruction)) {
      stream.add(exchange->getAlign().value() | uint64_t(exchange->isWeak()) << 63);
      stream.add(uint64_t(exchange->getFailureOrdering()));
      addAtomic(exchange->isVolatile(), exchange->getSuccessOrdering(), exchange->getSyncScopeID());
    } else if (auto *modify = dyn_cast<AtomicRMWInst>(&instruction)) {
      stream.add(modify->getAlign().value());
      stream.add(uint64_t(modify->getOperation()));
      addAtomic(modify->isVolatile(), modify->getOrdering(), modify->getSyncScopeID());
    } else if (auto *fence = dyn_cast<FenceInst>(&instruction)) {
      addAtomic(false, fence->getOrdering(), fence->getSyncScopeID());
    } else if (auto *compare = dyn_cast<CmpInst>(&instruction)) {
      stream.add(compare->getPredicate());
    } else if (auto *element = dyn_cast<GetElementPtrInst>(&instruction)) {
      addType(element->getSourceElementType());
    } else if (auto *slot = dyn_cast<AllocaInst>(&instruction)) {
      addType(slot->getAllocatedType());
      stream.add(slot->getAlign().value() | uint64_t(slot->isUsedWithInAlloca()) << 62 | uint64_t(slot->isSwiftError()) << 63);
    } else if (auto *phi = dyn_cast<PHINode>(&instruction)) {
      for (const BasicBlock *block : phi->blocks())
        stream.add(localNumbers.lookup(block));
    } else if (auto *choice = dyn_cast<SwitchInst>(&instruction)) { // case values are no operands in LLVM 22
      for (const auto &branch : choice->cases())
        addConstant(branch.getCaseValue());
    } else if (auto *shuffle = dyn_cast<ShuffleVectorInst>(&instruction)) {
      for (int lane : shuffle->getShuffleMask())
        stream.add(uint64_t(int64_t(lane)));
    } else if (auto *extract = dyn_cast<ExtractValueInst>(&instruction)) {
      for (unsigned index : extract->indices())
        stream.add(index);
    } else if (auto *insert = dyn_cast<InsertValueInst>(&instruction)) {
      for (unsigned index : insert->indices())
        stream.add(index);
    } else if (auto *pad = dyn_cast<LandingPadInst>(&instruction)) {
      stream.add(pad->isCleanup());
      for (unsigned index = 0; index < pad->getNumClauses(); ++index)
        stream.add(pad->isCatch(index));
    }
  }
};

} // namespace

std::string fingerprint(const Module &module) { return Fingerprinter(module).run(); }

} // namespace cc_agent
