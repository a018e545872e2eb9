// What the plugin is asked to do, by environment variables, and what it tells the launcher: see docs/architecture.md.
#pragma once
#include "limits.h"
#include "llvm/ADT/StringRef.h"

namespace cc_agent {

/// The lock to replay (CC_AGENT_PLUGIN_LOCK), or empty.
llvm::StringRef lockPath();

/// The socket to serve evaluations on (CC_AGENT_PLUGIN_SERVE), or -1.
int servingDescriptor();

/// What a plan that is replayed may use (CC_AGENT_PLUGIN_LIMITS); without the variable there is no limit.
Limits replayLimits();

/// Writes one JSON line to CC_AGENT_PLUGIN_STATUS, if the launcher listens.
void reportStatus(llvm::StringRef event, llvm::StringRef key, llvm::StringRef source, llvm::StringRef message);

} // namespace cc_agent
