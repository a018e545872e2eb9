// The process above a confined program: waits for it, counts what it has below it, and leaves nothing behind.
#pragma once

#include "restrict.h"
#include <string>
#include <sys/types.h>

namespace cc_agent {

struct Ending {
  std::string how; ///< exited, signalled, processes or memory
  int status = 0;  ///< exit status or signal
};

/// Waits for `program` and ends everything that it started. `owner` is true for the first process of a process namespace,
/// to which all others in it belong; else everything below the caller does, which must be a subreaper.
Ending watch(pid_t program, const Limits &limits, bool owner);

} // namespace cc_agent
