// Starting programs: in place of this one, or as a child that is waited for.
#pragma once

#include <string>
#include <vector>

namespace cc_agent {

struct ChildResult {
  int start_error = 0; // errno, when the program could not be started.
  int signal = 0;      // That ended it.
  int exit_code = 0;   // As a shell shows it: 128 + signal, 127 when it could not be started.

  // Whether it ended as crashing compilers do, and not by finding a mistake in the source.
  bool crashed() const;
};

struct ChildOptions {
  std::vector<std::string> environment; // NAME=value replaces an inherited value, "NAME=" removes the variable.
  int standard_input = -1;              // A descriptor, or -1 for our own.
  int standard_output = -1;             // Likewise.
  bool quiet = false;                   // Standard output and error go nowhere.
};

// Runs command[0] and waits. SIGINT, SIGTERM and SIGHUP that we get meanwhile are passed on; see pending_signal().
ChildResult run_child(const std::vector<std::string> &command, const ChildOptions &options);

// A signal that asked us to stop while a child ran; 0: none.
int pending_signal();

// Ends this process as a child ended that had this signal, so that make and shells see an interruption.
[[noreturn]] void die_by_signal(int signal);

// Ends this process with a message that clang could not be started. `error`: an errno.
[[noreturn]] void cannot_start(const std::string &program, int error);

// Becomes the program. Returns only by exiting with a message when that is impossible.
[[noreturn]] void replace_process(const std::string &program, char *const *arguments);
[[noreturn]] void replace_process(const std::vector<std::string> &command);

// An anonymous file in memory that children inherit; -1 on failure.
int memory_file(const char *name);
std::string read_whole(int descriptor); // From the beginning, whatever its position is.

// Appends one line with a single write, so that parallel builds do not mix their lines. False: errno says why not.
bool append_line(const std::string &path, const std::string &line);

} // namespace cc_agent
