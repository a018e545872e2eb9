// Digests of what functions and variables refer to: types, attributes, constants and metadata, each by its structure.
#pragma once
#include "llvm/ADT/DenseMap.h"
#include "llvm/IR/Attributes.h"
#include "llvm/IR/Metadata.h"
#include "llvm/IR/Module.h"

namespace cc_agent {

/// Tags keep different kinds of things apart in the stream, so that no two sequences read alike.
enum Tag : uint64_t {
  TypeTag = 1,
  ConstantTag,
  GlobalTag,
  LocalTag,
  MetadataTag,
  BlockTag,
  InstructionTag,
  AttributeTag,
  FunctionTag,
  ModuleTag,
  AbsentTag
};

bool isDebugMetadata(const llvm::MDNode *node);

/// Equal digests in two modules mean equal code. Debug information counts nowhere; nameless globals and distinct metadata
/// count by their order in the module.
class ValueHashes {
public:
  explicit ValueHashes(const llvm::Module &module) : module(module) {}

  uint64_t typeHash(const llvm::Type *type);
  uint64_t attributesHash(llvm::AttributeList attributes);
  uint64_t constantHash(const llvm::Constant *constant);
  /// `metadata` may be null.
  uint64_t metadataHash(const llvm::Metadata *metadata);

private:
  /// Which of the module's nameless globals it is: nothing else tells them apart where they are used.
  unsigned unnamedNumber(const llvm::GlobalValue *wanted);

  const llvm::Module &module;
  llvm::DenseMap<const llvm::Type *, uint64_t> typeHashes;
  llvm::DenseMap<const llvm::Constant *, uint64_t> constantHashes;
  llvm::DenseMap<const void *, uint64_t> attributeHashes;
  llvm::DenseMap<const llvm::MDNode *, uint64_t> metadataHashes;
  llvm::DenseMap<const llvm::MDNode *, unsigned> distinctNumbers;
  llvm::DenseMap<const llvm::GlobalValue *, unsigned> unnamedNumbers;
};

} // namespace cc_agent
