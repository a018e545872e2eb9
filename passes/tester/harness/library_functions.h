// Which external functions are linked for real, which the runtime models, and which become stubs.
#pragma once

#include "llvm/ADT/StringRef.h"

#include <vector>

namespace cct {

enum class Provider { Real, Model, Stub };

// Who defines an external symbol that the unit does not define.
Provider providerOf(llvm::StringRef Name);

// All names that the runtime models: optimizers introduce calls of them, so they are renamed whether they are used or not.
std::vector<llvm::StringRef> modelledNames();

// Of the C library: whether what it copies must not overlap, and no sanitizer sees that it does.
bool forbidsOverlap(llvm::StringRef Name);

} // namespace cct
