// cc-agent-confine: runs a program without network, within limits, able to write to one directory only.
//
//   cc-agent-confine --report FD --scratch DIRECTORY [--at DIRECTORY] [--cwd DIRECTORY]
//     [--limits-only | --all-or-nothing]
//     [--cpu SECONDS] [--address-space BYTES] [--file-size BYTES] [--memory BYTES] [--processes N] -- COMMAND…
//
// One line of JSON on descriptor FD says how it was confined and how it ended. See docs/decisions/0005-sandbox.md.
#include "namespaces.h"
#include "restrict.h"
#include "watch.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace cc_agent;

namespace {

struct Request {
  View view;
  std::string cwd;
  Limits limits;
  int report = -1;
  bool limitsOnly = false;
  bool allOrNothing = false; ///< without namespaces the command is not run
  char **command = nullptr;
  int niceness = 0; ///< the caller's, which the command gets
};

[[noreturn]] void usage(const char *fault) {
  std::fprintf(stderr, "cc-agent-confine: %s; it is started by compiler-agent\n", fault);
  std::exit(2);
}

Request parse(int count, char **words) {
  Request request;
  for (int index = 1; index < count; ++index) {
    std::string word = words[index];
    if (word == "--") {
      request.command = words + index + 1;
      break;
    }
    if (word == "--limits-only") {
      request.limitsOnly = true;
      continue;
    }
    if (word == "--all-or-nothing") {
      request.allOrNothing = true;
      continue;
    }
    if (++index >= count)
      usage("an option lacks its value");
    const char *value = words[index];
    auto number = [&] { return std::strtoull(value, nullptr, 10); };
    if (word == "--report")
      request.report = int(number());
    else if (word == "--scratch")
      request.view.scratch = value;
    else if (word == "--at")
      request.view.at = value;
    else if (word == "--cwd")
      request.cwd = value;
    else if (word == "--cpu")
      request.limits.cpuSeconds = number();
    else if (word == "--address-space")
      request.limits.addressSpaceBytes = number();
    else if (word == "--file-size")
      request.limits.fileBytes = number();
    else if (word == "--memory")
      request.limits.memoryBytes = number();
    else if (word == "--processes")
      request.limits.processes = number();
    else
      usage("an unknown option");
  }
  if (request.report < 0 || request.view.scratch.empty() || !request.command || !*request.command)
    usage("something is missing");
  if (request.view.at.empty())
    request.view.at = request.view.scratch;
  return request;
}

std::string quoted(const std::string &text) {
  std::string result = "\"";
  for (unsigned char letter : text) {
    char escape[8];
    std::snprintf(escape, sizeof escape, letter < 0x20 || letter == '"' || letter == '\\' || letter > 0x7e ? "\\u%04x" : "%c", letter);
    result += escape;
  }
  return result + "\"";
}

void report(const Request &request, const std::string &reason, const Ending &ending) {
  std::string line = "{\"confinement\":" + quoted(request.limitsOnly ? "limits-only" : "full") + ",\"reason\":" + quoted(reason) +
                     ",\"ended\":" + quoted(ending.how) + ",\"status\":" + std::to_string(ending.status) + "}\n";
  if (write(request.report, line.data(), line.size()) != ssize_t(line.size()))
    std::_Exit(3);
}

/// Starts the command below this process, watches it, and reports.
[[noreturn]] void runCommand(const Request &request, const std::string &reason) {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGCHLD);
  sigprocmask(SIG_BLOCK, &ends, nullptr);
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); // the command must not trace the one that watches it
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  int failed[2];
  if (pipe2(failed, O_CLOEXEC) != 0)
    std::_Exit(3);
  pid_t program = fork();
  if (program == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    setpgid(0, 0);
    sigprocmask(SIG_UNBLOCK, &ends, nullptr);
    std::string fault;
    // In the namespace the directory has to be entered anew: the one inherited is seen past the mounts.
    if (!request.cwd.empty() && chdir(request.cwd.c_str()) != 0)
      fault = "cannot enter " + request.cwd + ": " + std::strerror(errno);
    applyLimits(request.limits, !request.limitsOnly);
    setpriority(PRIO_PROCESS, 0, request.niceness);
    if (fault.empty() && !giveUpRights(request.limitsOnly))
      fault = std::string("cannot give up rights: ") + std::strerror(errno);
    if (fault.empty()) {
      execvp(request.command[0], request.command);
      fault = std::string(request.command[0]) + ": " + std::strerror(errno);
    }
    [[maybe_unused]] ssize_t written = write(failed[1], fault.data(), fault.size());
    std::_Exit(127);
  }
  close(failed[1]);
  char words[512];
  ssize_t size = program > 0 ? read(failed[0], words, sizeof words) : -1;
  if (size != 0) {
    Request said = request;
    report(said, size > 0 ? std::string(words, size_t(size)) : std::string("cannot fork"), {"not-started", 127});
    std::_Exit(0);
  }
  Ending ending = watch(program, request.limits, !request.limitsOnly);
  report(request, reason, ending);
  std::_Exit(0);
}

[[noreturn]] void waitFor(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR)
    ;
  std::_Exit(WIFEXITED(status) ? WEXITSTATUS(status) : 3);
}

} // namespace

int main(int count, char **words) {
  Request request = parse(count, words);
  fcntl(request.report, F_SETFD, FD_CLOEXEC);
  // A tree of processes that multiply must not keep the one that counts them from running. Only root may say so, and only
  // root needs to: the kernel holds other users to their number of processes.
  request.niceness = getpriority(PRIO_PROCESS, 0);
  setpriority(PRIO_PROCESS, 0, -20);
  std::string reason = "asked for";
  if (!request.limitsOnly) {
    int ready[2];
    if (pipe2(ready, O_CLOEXEC) != 0)
      return 3;
    uid_t user = geteuid();
    gid_t group = getegid();
    pid_t first = forkIntoNamespaces();
    if (first == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
      std::string fault = arrangeView(request.view, user, group);
      // Nothing of the command has run if this says a fault: the parent then starts it without namespaces.
      std::string said = fault.empty() ? "+" : fault;
      if (write(ready[1], said.data(), said.size()) < 0 || !fault.empty())
        std::_Exit(0);
      runCommand(request, "");
    }
    reason = std::string("no namespaces here: ") + std::strerror(errno);
    close(ready[1]);
    if (first > 0) {
      char text[512];
      ssize_t size = read(ready[0], text, sizeof text);
      if (size > 0 && text[0] == '+')
        waitFor(first);
      reason = size > 0 ? std::string(text, size_t(size)) : std::string("the sandbox's first process died");
      waitpid(first, nullptr, 0);
    }
    request.limitsOnly = true;
    if (request.allOrNothing) {
      report(request, reason, {"not-confined", 0});
      return 0;
    }
  }
  runCommand(request, reason);
}
