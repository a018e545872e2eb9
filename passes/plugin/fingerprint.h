// A module's fingerprint: equal for modules that compile to the same code, whatever their debug info, paths and file names.
#pragma once
#include <string>

namespace llvm {
class Module;
}

namespace cc_agent {

/// 32 lower-case hexadecimal digits over everything in `module` that code generation can depend on. Left out: debug
/// information, local value names, the source file's name, the compiler's identification, and the directory part of
/// path-like string constants (what `__FILE__` and `assert` leave behind).
std::string fingerprint(const llvm::Module &module);

} // namespace cc_agent
