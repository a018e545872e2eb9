// A child process that runs something untrusted: its limits, and how it ended.
#pragma once
#include <cstdint>
#include <string>

namespace cc_agent {

/// Exit statuses by which a child names its own end.
enum ChildStatus { OutOfMemoryStatus = 77, FatalErrorStatus = 78 };

struct Limits {
  double timeoutSeconds;
  uint64_t memoryBytes; ///< of a child: beyond noteParsedSize(); of a replay: beyond what the process has already mapped
};

/// Called once, when the source is parsed and before the first child is made: what is mapped now is not counted against any.
void noteParsedSize();

/// Called in the child of process `parent`: dies with its parent, within its limits, without clang's crash reports and temporary files.
void confineChild(const Limits &limits, int parent);

/// From here on this process may use so much more, 0 is without limit; what needs more is ended by SIGXCPU, or by LLVM as out
/// of memory. Where a plan is replayed, the launcher then compiles again without it.
void limitFromHere(const Limits &limits);

/// For a child that has done what was limited and goes on to wait for requests.
void liftTimeLimit();

struct Ending {
  std::string outcome; ///< "ok", "crash", "timeout", "memory" or "error"
  std::string message;
};

/// Ends a child of this process, if it has not ended by itself, and says how it did; "error" for what is no such child.
Ending endChild(int child, const Limits &limits);

/// Reads `pipe` to its end into `report` while `child` runs, kills it when its time is up, and says how it ended.
Ending awaitChild(int child, int pipe, const Limits &limits, std::string &report);

} // namespace cc_agent
