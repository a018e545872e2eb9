// What a function's code says of the inputs that it expects.
#pragma once

#include "llvm/IR/DebugInfoMetadata.h"
#include "llvm/IR/Function.h"

#include <set>
#include <string>
#include <vector>

namespace cct {

// The functions of the unit that a function may reach by direct calls, itself among them.
std::set<const llvm::Function *> reachable(const llvm::Function &F);

// The local functions that it calls, or that one of them calls.
std::set<const llvm::Function *> localCallees(const llvm::Function &F);

// Numbers and strings that the code compares with: inputs made of them go where others do not.
void constantsOf(const std::set<const llvm::Function *> &Reached, std::set<uint64_t> &Numbers, std::set<std::string> &Strings);

// The complete structures that its pointers point to: what is behind a void *, an incomplete type or the first member of
// something larger is one of them.
std::vector<const llvm::DIType *> structuresOf(const std::set<const llvm::Function *> &Reached);

} // namespace cct
