// What a planner, a person or a program, wants to know of a module before it is optimized.
#pragma once
#include <string>

namespace llvm {
class Module;
}

namespace cc_agent {

/// Functions, calls, loops and simplified IR of a module as clang gives it, as JSON; docs/observations.md describes it.
/// The module stays as it was.
std::string summarizeModule(llvm::Module &module);

} // namespace cc_agent
