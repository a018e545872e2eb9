#include "watch.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <dirent.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace cc_agent {
namespace {

constexpr long TickNanoseconds = 10'000'000;
constexpr int MostRounds = 200;

std::vector<pid_t> everybody() {
  std::vector<pid_t> found;
  if (DIR *directory = opendir("/proc")) {
    while (dirent *entry = readdir(directory))
      if (pid_t process = pid_t(std::atoi(entry->d_name)); process > 0 && process != getpid())
        found.push_back(process);
    closedir(directory);
  }
  return found;
}

void addChildren(pid_t process, std::vector<pid_t> &found) {
  std::string tasks = "/proc/" + std::to_string(process) + "/task";
  DIR *directory = opendir(tasks.c_str());
  if (!directory)
    return;
  while (dirent *entry = readdir(directory)) {
    if (entry->d_name[0] == '.')
      continue;
    if (FILE *file = std::fopen((tasks + "/" + entry->d_name + "/children").c_str(), "r")) {
      for (int child; std::fscanf(file, "%d", &child) == 1;)
        found.push_back(child);
      std::fclose(file);
    }
  }
  closedir(directory);
}

std::vector<pid_t> descendants() {
  std::vector<pid_t> found;
  addChildren(getpid(), found);
  for (size_t index = 0; index < found.size(); ++index)
    addChildren(found[index], found);
  return found;
}

/// Memory of a process that no file stands behind.
uint64_t ownBytes(pid_t process) {
  unsigned long size = 0, resident = 0, shared = 0;
  if (FILE *file = std::fopen(("/proc/" + std::to_string(process) + "/statm").c_str(), "r")) {
    if (std::fscanf(file, "%lu %lu %lu", &size, &resident, &shared) != 3)
      resident = shared = 0;
    std::fclose(file);
  }
  return resident > shared ? uint64_t(resident - shared) * uint64_t(sysconf(_SC_PAGESIZE)) : 0;
}

const char *tooMuch(const Limits &limits, bool owner) {
  std::vector<pid_t> processes = owner ? everybody() : descendants();
  if (limits.processes && processes.size() > limits.processes)
    return "processes";
  uint64_t bytes = 0;
  if (limits.memoryBytes)
    for (pid_t process : processes)
      bytes += ownBytes(process);
  return limits.memoryBytes && bytes > limits.memoryBytes ? "memory" : nullptr;
}

void endEverybody(bool owner) {
  if (owner) { // the kernel does it in one step, and nobody forks in between
    kill(-1, SIGKILL);
    while (waitpid(-1, nullptr, 0) > 0 || errno == EINTR)
      ;
    return;
  }
  for (int round = 0; round < MostRounds; ++round) {
    std::vector<pid_t> left = descendants();
    if (left.empty())
      return;
    for (int signal : {SIGSTOP, SIGKILL}) // stopped first: a tree that forks while it is walked would lose us some
      for (pid_t process : left)
        kill(process, signal);
    while (waitpid(-1, nullptr, WNOHANG) > 0)
      ;
    timespec moment{0, 1'000'000};
    nanosleep(&moment, nullptr);
  }
}

} // namespace

Ending watch(pid_t program, const Limits &limits, bool owner) {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGCHLD); // blocked by the caller before it forked
  Ending ending;
  for (;;) {
    int status = 0;
    for (pid_t gone; (gone = waitpid(-1, &status, WNOHANG)) > 0;)
      if (gone == program) {
        ending.how = WIFEXITED(status) ? "exited" : "signalled";
        ending.status = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
        endEverybody(owner);
        return ending;
      }
    timespec tick{0, TickNanoseconds};
    if (sigtimedwait(&ends, nullptr, &tick) < 0 && errno == EAGAIN)
      if (const char *what = tooMuch(limits, owner)) {
        endEverybody(owner);
        ending.how = what;
        return ending;
      }
  }
}

} // namespace cc_agent
