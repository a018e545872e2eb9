// cc-agent, cc-agent++: clang with -O-agent. See help.cpp for what a user is told, docs/architecture.md for the parts.

#include "arguments.h"
#include "describe.h"
#include "help.h"
#include "locate.h"
#include "process.h"
#include "run.h"
#include "settings.h"

#include <csignal>
#include <cstdio>
#include <cstring>

using namespace cc_agent;

namespace {

// A cheap look that may say yes too often: it decides whether the command line is parsed at all.
bool may_mention_agent(int argc, char **argv) {
  for (int i = 1; i < argc; ++i)
    if (argv[i][0] == '@' || std::strncmp(argv[i], "-O-agent", 8) == 0)
      return true;
  return false;
}

// clang under its own name: it finds its installation by it, and prints it in messages.
[[noreturn]] void become_clang(const Installation &installation, char **argv) {
  argv[0] = const_cast<char *>(installation.clang.c_str());
  replace_process(installation.clang, argv);
}

} // namespace

int main(int argc, char **argv) {
  // A parent can pass on that it ignores this; the kernel then forgets how a child ended, and a failure looks like success.
  std::signal(SIGCHLD, SIG_DFL);
  Installation installation = find_installation(argc > 0 ? argv[0] : "cc-agent");
  const char *first = argc > 1 ? argv[1] : "";
  if (std::strcmp(first, "--cc-agent-help") == 0)
    return print_help();
  if (std::strcmp(first, "--cc-agent-version") == 0)
    return print_version(installation);
  bool describes = std::strcmp(first, "--cc-agent-describe") == 0;
  // -cc1 and -cc1as are clang's own internal calls of itself.
  if (!describes && (std::strncmp(first, "-cc1", 4) == 0 || !may_mention_agent(argc, argv)))
    become_clang(installation, argv);

  std::vector<std::string> original(argv, argv + argc);
  std::vector<std::string> words(argv + (describes ? 2 : 1), argv + argc);
  CommandLine line = parse_command_line(expand_response_files(words), installation.cxx);
  if (!line.fault.empty()) {
    std::fprintf(stderr, "cc-agent: error: %s\n", line.fault.c_str());
    return 1;
  }
  if (describes) {
    std::fputs(describe(line, installation).c_str(), stdout);
    return 0;
  }
  if (!line.mentions_agent)
    become_clang(installation, argv);
  if (line.phase != Phase::Compile) {
    std::vector<std::string> command = translated_words(line);
    command.insert(command.begin(), installation.clang);
    replace_process(command);
  }
  run(line, installation, read_settings(), original);
}
