#include "help.h"

#include <cstdio>

namespace cc_agent {
namespace {

const char help[] = R"(cc-agent, cc-agent++: clang and clang++ with one more optimization level.

  -O-agent, -O-agent=size   smaller than -Oz: clang -Oz, except where a plan is known that is better
  -O-agent=speed            the same for speed, on the base of -O3

A plan says how LLVM optimizes and emits one source file. Plans are searched for, judged by real compilations, and kept
in a lock file, cc-agent.lock, which you review and commit. Without -O-agent, and for everything that is not a
compilation, this program only starts clang. Whatever a plan does wrong, you get clang's own object.

Examples:
  make CC=cc-agent CXX=cc-agent++ CFLAGS=-O-agent      search while building; later builds replay the lock
  CC_AGENT_MODE=replay make CC=cc-agent CFLAGS=-O-agent  use known plans only, never search
  CC_AGENT_MODE=record make CC=cc-agent CFLAGS=-O-agent  note what is compiled, to search later
  CC_AGENT_LOG=agent.jsonl make ...                    see what was decided for each file, and why

Environment:
  CC_AGENT_MODE=tune|replay|record|off   default: tune. On a source without a plan, search first
  CC_AGENT_DISABLE=1     plain clang -Oz (or -O3)
  CC_AGENT_LOCK=FILE     the lock; default: cc-agent.lock in the source's directory or above, else the user's cache
  CC_AGENT_BUDGET=60     evaluations per source in a search; also a time such as 5s or 2m
  CC_AGENT_TRUST=tested  what a plan needs to be kept: production, tested, proved
  CC_AGENT_TEST_SECONDS=2  for the test of one function; 0: functions are not tested
  CC_AGENT_TEST_COVERAGE=0.5  share of its edges that a function's test must reach to count
  CC_AGENT_LOG=FILE      one JSON line per compilation: decision, reason, cost
  CC_AGENT_RECORD=FILE   where record mode writes; default: record.jsonl in the user's cache
  CC_AGENT_VERBOSE=1     show what the search says
  CC_AGENT_REPLAY_TIMEOUT=600   processor seconds that a compilation may take from where a plan begins; 0: no limit
  CC_AGENT_REPLAY_MEMORY=4096   MiB that it may use; beyond either limit you get clang's own object
  CC_AGENT_LLVM=DIR      the LLVM 22 to use, such as /usr/lib/llvm-22
  CC_AGENT_PYTHON=FILE   the Python that has the package compiler_agent

Our own options, each only as the first argument:
  --cc-agent-help            this text
  --cc-agent-version         the version, and the clang, plugin and lock that would be used
  --cc-agent-describe ARGS   what is understood of a command line, as JSON; nothing is run

Exit status, standard output and standard error are clang's; a plan that breaks clang adds one line.
)";

} // namespace

int print_help() { return std::fputs(help, stdout) < 0; }

int print_version(const Installation &installation) {
  std::string obstacle = plugin_obstacle(installation);
  std::printf("cc-agent %s\nclang: %s\nplugin: %s%s%s\nlock: %s\n", CC_AGENT_VERSION, installation.clang.c_str(),
              installation.plugin.c_str(), obstacle.empty() ? "" : " - not usable: ", obstacle.c_str(),
              find_lock("source.c").c_str());
  return 0;
}

} // namespace cc_agent
