// A module as IR2Vec's vector.
#pragma once
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace llvm {
class Module;
}

namespace cc_agent {

/// The sum of the functions' symbolic embeddings. `vocabulary` is a file in the form that LLVM's -ir2vec-vocab-path takes; what it
/// does not name counts as zeros. The caller holds turn(): a vocabulary is read once, with LLVM's options set meanwhile.
llvm::Expected<std::vector<double>> embed(llvm::Module &module, const std::string &vocabulary);

} // namespace cc_agent
