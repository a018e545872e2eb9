#include "emitting_child.h"

#include "llvm/Support/JSON.h"

using namespace llvm;

namespace cc_agent {

bool EmittingChild::run(const Limits &limits, int unneeded, function_ref<bool(int pipe)> work) {
  int pipes[2];
  if (pipe(pipes) != 0) {
    ending = {"error", "cannot make a pipe"};
    return false;
  }
  int self = getpid();
  int child = fork();
  if (child == 0) {
    confineChild(limits, self);
    dup2(object.get(), STDOUT_FILENO);
    dup2(complaints.get(), STDERR_FILENO);
    close(pipes[0]);
    close(unneeded);
    if (!work(pipes[1]))
      _exit(0);
    return true; // pipes[1] stays open: the parent sees its end when this process ends
  }
  close(pipes[1]);
  ending = child < 0 ? Ending{"error", "cannot fork"} : awaitChild(child, pipes[0], limits, said);
  close(pipes[0]);
  return false;
}

std::string EmittingChild::message() const {
  std::string tail = ending.outcome == "ok" ? "" : complaints.tail(1000);
  return json::fixUTF8(ending.message + (tail.empty() ? "" : ": " + tail));
}

} // namespace cc_agent
