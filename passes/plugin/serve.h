// A fork server inside clang: the source is parsed once, each evaluation of a plan is a child that may crash, hang or
// eat memory, and clang itself emits the object. What is measured is therefore what a replay ships.
#pragma once
#include "llvm/Support/Error.h"
#include <functional>
#include <string>

namespace llvm {
class Module;
}

namespace cc_agent {

struct ServedModule {
  llvm::Module &module;
  std::string key;
  std::function<llvm::Expected<bool>(llvm::StringRef plan)> apply; ///< runs a plan on the module; whether a pass says that it changed it
  std::function<bool(llvm::StringRef element)> standsAtModuleLevel; ///< whether a pipeline that begins so is one of modules
};

/// Answers requests on servingDescriptor(), one JSON object a line each way, until the other side closes it; then the
/// process ends. Returns only in a child, which is to go on and emit its object to standard output.
///
/// Hello:   {"event":"ready","key":…,"llvm":…,"target":…,"ir_instructions":…,
///           "inst_count":[70 numbers, see features.h],"autophase":[56 numbers]}
/// Request: {"plan":TEXT or "" for clang's own pipeline,"late":those of its options that code generation alone reads,
///           "measure":"object"|"ir"|"count","features":…,"fresh":…,"share":…,
///           "timeout_s":…,"memory_bytes":…}
/// Reply:   {"outcome":"ok"|"rejected"|"invalid"|"crash"|"timeout"|"memory"|"error","message":…,"fingerprint":…,
///           "ir_instructions":…,"text_bytes":…,"data_bytes":…,"unwind_bytes":…,"object_bytes":…,"emitted":…,
///           and where features are asked for "inst_count" and "autophase" of the module after the pipeline}
/// {"plan":"","session":true} with a socket makes a process that applies passes in place and answers there (session.h);
/// {"plan":"","end":PROCESS} ends such a process, if it has not ended, and replies how it did.
void serveEvaluations(ServedModule &served);

} // namespace cc_agent
