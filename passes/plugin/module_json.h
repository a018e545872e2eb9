// A module as JSON: what the translation validator in Python reads instead of IR text.
#pragma once
#include <string>

namespace llvm {
class Module;
}

namespace cc_agent {

/// Everything in `module` that has a meaning: functions, instructions with all their flags, constants, sizes and offsets by
/// the data layout, attributes, metadata other than debug info and branch weights. What has no entry of its own is written
/// as {"k":"other"} or ["other", …], so that a reader can refuse it; nothing is dropped silently.
/// The format is described in docs/validation.md.
std::string moduleAsJson(llvm::Module &module);

} // namespace cc_agent
