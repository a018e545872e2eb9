// Processes that have run the beginning of a pipeline and wait: plans that begin alike start from there.
#pragma once
#include "channel.h"
#include "steps.h"
#include "llvm/ADT/DenseSet.h"
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace cc_agent {

struct Snapshot {
  uint64_t prefix;         ///< as in Steps
  size_t length;           ///< how many elements it has run
  std::string fingerprint; ///< of its module; empty for one that was made in the middle of a pipeline
  int64_t instructions;    ///< of its module, where there is a fingerprint
  int process;
  int socket;
  std::unique_ptr<Channel> channel;
};

class Snapshots {
public:
  /// Forks this process into a snapshot that serves on a descriptor. Returns true only in a child that is to emit its object.
  using Fork = std::function<bool(const Request &start, int descriptor)>;

  /// The snapshot from which the rest of the plan is least, if there is one. A beginning that is asked for the second time
  /// gets a snapshot now, made from the best one so far. `isEmitting` is set, and nothing returned, in a child that is to emit its object.
  Snapshot *forPlan(const Steps &steps, const Request &request, const Fork &fork, bool &isEmitting);

  /// Sends a request and reads the reply; a snapshot that does not answer is dropped.
  std::optional<llvm::json::Object> ask(Snapshot &snapshot, const Steps &steps, const Request &request);

  /// In a new process: the other snapshots are not its own.
  void closeAll();

private:
  static constexpr size_t Most = 6;
  std::vector<Snapshot> snapshots; ///< the one used last stands last
  llvm::DenseSet<uint64_t> asked;  ///< beginnings of plans so far
  llvm::DenseSet<uint64_t> failed; ///< those that gave no snapshot
  int starting = -1;               ///< our end of the socket of a snapshot that does not wait yet

  Snapshot *longest(const Steps &steps);
  Snapshot *make(const Steps &steps, size_t length, Snapshot *from, const Request &request, const Fork &fork, bool &isEmitting);
  void drop(size_t index);
  static void end(const Snapshot &snapshot);
};

} // namespace cc_agent
