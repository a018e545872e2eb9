#include "process.h"

#include "response.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

namespace cc_agent {
namespace {

volatile sig_atomic_t received_signal = 0;
volatile pid_t current_child = 0;

const int stopping_signals[] = {SIGINT, SIGTERM, SIGHUP};

void pass_on(int signal) {
  received_signal = signal;
  if (current_child > 0)
    kill(current_child, signal);
}

std::vector<char *> pointers(const std::vector<std::string> &words) {
  std::vector<char *> result;
  for (const std::string &word : words)
    result.push_back(const_cast<char *>(word.c_str()));
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> child_environment(const std::vector<std::string> &changes) {
  std::vector<std::string> result;
  for (const std::string &change : changes)
    if (change.back() != '=')
      result.push_back(change);
  for (char **entry = environ; *entry; ++entry) {
    bool changed = false;
    for (const std::string &change : changes)
      changed |= std::strncmp(*entry, change.c_str(), change.find('=') + 1) == 0;
    if (!changed)
      result.push_back(*entry);
  }
  return result;
}

// The same command with its arguments in a response file that is in memory only. Empty when that is impossible.
std::vector<std::string> through_response_file(const std::vector<std::string> &command) {
  int descriptor = memory_file("cc-agent-arguments");
  if (descriptor < 0)
    return {};
  std::string text = quote_response({command.begin() + 1, command.end()});
  for (std::size_t written = 0; written < text.size();) {
    ssize_t n = write(descriptor, text.data() + written, text.size() - written);
    if (n <= 0)
      return {};
    written += static_cast<std::size_t>(n);
  }
  return {command[0], "@/proc/self/fd/" + std::to_string(descriptor)};
}

int spawn(const std::vector<std::string> &command, const std::vector<std::string> &environment,
          const ChildOptions &options, const sigset_t &original_mask, pid_t &child) {
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigmask(&attributes, &original_mask);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (options.standard_input >= 0)
    posix_spawn_file_actions_adddup2(&actions, options.standard_input, STDIN_FILENO);
  if (options.standard_output >= 0)
    posix_spawn_file_actions_adddup2(&actions, options.standard_output, STDOUT_FILENO);
  if (options.quiet) {
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  }
  int error = posix_spawnp(&child, command[0].c_str(), &actions, &attributes, pointers(command).data(),
                           pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return error;
}

} // namespace

bool ChildResult::crashed() const {
  if (start_error)
    return false;
  // 70 is clang's own status for an internal error.
  return signal != 0 || exit_code == 70 || exit_code >= 128;
}

ChildResult run_child(const std::vector<std::string> &command, const ChildOptions &options) {
  // Blocked until the child is known, so that no signal is lost in between.
  sigset_t stopping, original_mask;
  sigemptyset(&stopping);
  struct sigaction previous[3];
  for (int signal : stopping_signals)
    sigaddset(&stopping, signal);
  sigprocmask(SIG_BLOCK, &stopping, &original_mask);
  for (int i = 0; i < 3; ++i) {
    struct sigaction action = {};
    action.sa_handler = pass_on;
    sigaction(stopping_signals[i], nullptr, &previous[i]);
    if (previous[i].sa_handler != SIG_IGN) // nohup: stays ignored, in the child too.
      sigaction(stopping_signals[i], &action, nullptr);
  }

  std::vector<std::string> environment = child_environment(options.environment);
  ChildResult result;
  pid_t child = 0;
  result.start_error = spawn(command, environment, options, original_mask, child);
  if (result.start_error == E2BIG) {
    std::vector<std::string> shorter = through_response_file(command);
    if (!shorter.empty())
      result.start_error = spawn(shorter, environment, options, original_mask, child);
  }
  int status = 0;
  if (result.start_error == 0) {
    current_child = child;
    sigprocmask(SIG_SETMASK, &original_mask, nullptr);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    sigprocmask(SIG_BLOCK, &stopping, nullptr);
    current_child = 0; // Its number may be given to another process from now on.
    result.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    result.exit_code = result.signal ? 128 + result.signal : WEXITSTATUS(status);
  } else {
    result.exit_code = 127;
  }
  for (int i = 0; i < 3; ++i)
    sigaction(stopping_signals[i], &previous[i], nullptr);
  sigprocmask(SIG_SETMASK, &original_mask, nullptr);
  return result;
}

int pending_signal() { return received_signal; }

void die_by_signal(int signal) {
  std::signal(signal, SIG_DFL);
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, signal);
  sigprocmask(SIG_UNBLOCK, &one, nullptr);
  raise(signal);
  _exit(128 + signal);
}

void cannot_start(const std::string &program, int error) {
  std::fprintf(stderr,
               "cc-agent: error: cannot run %s: %s\n"
               "cc-agent: note: CC_AGENT_LLVM names the directory of another LLVM 22, such as /usr/lib/llvm-22\n",
               program.c_str(), std::strerror(error));
  std::exit(127);
}

void replace_process(const std::string &program, char *const *arguments) {
  execv(program.c_str(), arguments);
  cannot_start(program, errno);
}

void replace_process(const std::vector<std::string> &command) {
  execv(command[0].c_str(), pointers(command).data());
  int error = errno;
  if (error == E2BIG) {
    std::vector<std::string> shorter = through_response_file(command);
    if (!shorter.empty())
      execv(shorter[0].c_str(), pointers(shorter).data());
  }
  cannot_start(command[0], error);
}

int memory_file(const char *name) { return memfd_create(name, 0); }

std::string read_whole(int descriptor) {
  std::string text;
  char buffer[4096];
  ssize_t n_read;
  while ((n_read = pread(descriptor, buffer, sizeof buffer, static_cast<off_t>(text.size()))) > 0)
    text.append(buffer, static_cast<std::size_t>(n_read));
  return text;
}

bool append_line(const std::string &path, const std::string &line) {
  int descriptor = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0)
    return false;
  std::string text = line + "\n";
  bool complete = write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  close(descriptor);
  return complete;
}

} // namespace cc_agent
