// What a process gives up before it becomes the confined program.
#pragma once

#include <cstdint>

namespace cc_agent {

struct Limits {
  uint64_t cpuSeconds = 0;        ///< of each process; 0: no limit, here and below
  uint64_t addressSpaceBytes = 0; ///< of each process
  uint64_t fileBytes = 0;         ///< of each file that is written
  uint64_t memoryBytes = 0;       ///< of all processes together, without what they share
  uint64_t processes = 0;         ///< of all processes together
};

/// Sets the limits that the kernel holds. `ownUser`: nobody outside of the namespace counts as the same user.
void applyLimits(const Limits &limits, bool ownUser);

/// Gives up all capabilities for good, and the right to make sockets: those of the file system only, or of any kind.
/// False if the kernel refuses.
bool giveUpRights(bool everySocket);

} // namespace cc_agent
