// What an object file weighs.
#pragma once
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"
#include <string>

namespace cc_agent {

struct ObjectSizes {
  uint64_t textBytes = 0;   ///< executable sections: what the objective counts
  uint64_t dataBytes = 0;   ///< other loaded sections (constants, data, zero-initialized), unwind tables apart
  uint64_t unwindBytes = 0; ///< .eh_frame and .gcc_except_table
  uint64_t objectBytes = 0; ///< the whole file
  std::string sha256;       ///< of the whole file, in hexadecimal
};

llvm::Expected<ObjectSizes> measureObject(llvm::StringRef bytes);

/// Puts them into a reply, under the names that the engine's protocol has for them.
void addSizes(llvm::json::Object &reply, const ObjectSizes &sizes);

/// {"sections": {name: bytes}, "functions": {name: bytes}} of the object; sections of one name are summed.
llvm::Expected<llvm::json::Object> describeObject(llvm::StringRef bytes);

} // namespace cc_agent
