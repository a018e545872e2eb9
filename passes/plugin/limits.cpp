#include "limits.h"

#include "llvm/Support/ErrorHandling.h"
#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <new>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cc_agent {
namespace {

uint64_t mappedBytes() {
  unsigned long pages = 0;
  if (FILE *file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%lu", &pages) != 1)
      pages = 0;
    std::fclose(file);
  }
  return uint64_t(pages) * uint64_t(sysconf(_SC_PAGESIZE));
}

/// Sets the soft limit and leaves the hard one, so that a child of the child can have a limit of its own.
void limit(int resource, rlim_t soft) {
  rlimit value;
  if (getrlimit(resource, &value) != 0)
    return;
  value.rlim_cur = std::min(soft, value.rlim_max);
  setrlimit(resource, &value);
}

uint64_t parsedBytes = 0;

[[noreturn]] void dieOutOfMemory() { _exit(OutOfMemoryStatus); }

int waitFor(int child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR)
    ;
  return status;
}

Ending endingOf(int status, bool late, const Limits &limits) {
  if (late || (WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU)))
    return {"timeout", "took longer than " + std::to_string(int(std::ceil(limits.timeoutSeconds))) + " s"};
  if (WIFSIGNALED(status))
    return {WTERMSIG(status) == SIGKILL ? "timeout" : "crash", std::string("killed by ") + strsignal(WTERMSIG(status))};
  switch (WEXITSTATUS(status)) {
  case 0:
    return {"ok", ""};
  case OutOfMemoryStatus:
    return {"memory", "needed more than " + std::to_string(limits.memoryBytes >> 20) + " MiB beyond the parsed module"};
  case FatalErrorStatus:
    return {"crash", "LLVM's fatal error"};
  default:
    return {"error", "clang ended with status " + std::to_string(WEXITSTATUS(status))};
  }
}

} // namespace

void noteParsedSize() { parsedBytes = mappedBytes(); }

void confineChild(const Limits &limits, int parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) // it went before the line above took effect
    _exit(FatalErrorStatus);
  for (int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGTERM, SIGINT, SIGPIPE, SIGXCPU})
    std::signal(signal, SIG_DFL);
  limit(RLIMIT_CORE, 0);
  // CPU time is what makes the limit repeatable on a busy machine; the parent's clock catches what sleeps.
  limit(RLIMIT_CPU, rlim_t(std::ceil(limits.timeoutSeconds)));
  // Beyond the parsed module, also where the process starts in the middle of a pipeline.
  limit(RLIMIT_AS, parsedBytes + limits.memoryBytes);
  std::set_new_handler(dieOutOfMemory);
  llvm::remove_bad_alloc_error_handler();
  llvm::install_bad_alloc_error_handler([](void *, const char *, bool) { dieOutOfMemory(); });
  llvm::remove_fatal_error_handler();
  llvm::install_fatal_error_handler([](void *, const char *reason, bool) {
    [[maybe_unused]] ssize_t written = write(STDERR_FILENO, reason, std::strlen(reason));
    _exit(FatalErrorStatus);
  });
}

void limitFromHere(const Limits &limits) {
  rusage used;
  if (limits.timeoutSeconds > 0 && getrusage(RUSAGE_SELF, &used) == 0)
    limit(RLIMIT_CPU, rlim_t(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + rlim_t(std::ceil(limits.timeoutSeconds)) + 1);
  if (limits.memoryBytes > 0)
    limit(RLIMIT_AS, mappedBytes() + limits.memoryBytes);
}

void liftTimeLimit() { limit(RLIMIT_CPU, RLIM_INFINITY); }

Ending endChild(int child, const Limits &limits) {
  int status = 0;
  int waited = waitpid(child, &status, WNOHANG);
  if (waited < 0) // how it ended nobody can say any more
    return {"error", "there is no process " + std::to_string(child) + " to wait for"};
  if (waited == 0) {
    kill(child, SIGKILL); // not waited for yet, so the number is still its own; it may be about to end by itself
    status = waitFor(child);
  }
  return endingOf(status, WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, limits);
}

Ending awaitChild(int child, int pipe, const Limits &limits, std::string &report) {
  using Clock = std::chrono::steady_clock;
  // Wall time is allowed to be longer than CPU time: the machine may be shared.
  auto deadline = Clock::now() + std::chrono::milliseconds(int64_t(4000 * limits.timeoutSeconds) + 1000);
  bool late = false;
  for (;;) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd ready{pipe, POLLIN, 0};
    int events = left > 0 ? poll(&ready, 1, int(left)) : 0;
    if (events < 0 && errno == EINTR)
      continue;
    if (events == 0) {
      late = true;
      kill(child, SIGKILL);
      break;
    }
    char buffer[4096];
    ssize_t count = read(pipe, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      break;
    report.append(buffer, size_t(count));
  }
  return endingOf(waitFor(child), late, limits);
}

} // namespace cc_agent
