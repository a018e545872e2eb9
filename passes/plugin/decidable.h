// What decisions can be taken on in a module.
#pragma once
#include <string>

namespace llvm {
class Module;
}

namespace cc_agent {

/// {"functions": [{"name", PLACE, "loops": [{"position", "depth", PLACE}], "calls": [{"position", "callee", "is_defined", PLACE}]}]}:
/// the functions that the module defines, in its order; positions are those of decisions. PLACE is "file", "line" and "column" in the source, where
/// there is debug information; a function has no column. A loop's place is that of its statement, where it is one.
std::string decidableAsJson(llvm::Module &module);

} // namespace cc_agent
