#include "variant.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cct {
namespace {

// What it takes to begin another process, in runs: AddressSanitizer's tables are copied with it.
constexpr uint64_t EffortOfProcess = 15, EffortOfSanitizedProcess = 40, EffortOfMillisecond = 15;
constexpr uint32_t TracedOfEffort = 8000;

int memory(const char *Name, uint64_t Size) {
  int Descriptor = memfd_create(Name, 0);
  if (Descriptor < 0 || ftruncate(Descriptor, static_cast<off_t>(Size)) != 0) {
    perror("shared memory");
    exit(3);
  }
  return Descriptor;
}

uint8_t *mapped(int Descriptor, uint64_t Size) {
  void *Result = mmap(nullptr, Size, PROT_READ | PROT_WRITE, MAP_SHARED, Descriptor, 0);
  if (Result == MAP_FAILED) {
    perror("shared memory");
    exit(3);
  }
  return static_cast<uint8_t *>(Result);
}

} // namespace

SharedInput::SharedInput() : Descriptor(memory("input", InputSize)), Memory(mapped(Descriptor, InputSize)) {}
SharedInput::~SharedInput() {
  munmap(Memory, InputSize);
  close(Descriptor);
}

Variant::Variant(std::string Path, SharedInput &Input, uint8_t Fill, uint32_t Flags)
    : Path(std::move(Path)), Input(Input), Fill(Fill), Flags(Flags) {}

Variant::~Variant() {
  stop();
  if (Output)
    munmap(Output, OutputSize);
  if (Arena)
    munmap(Arena, ArenaSize);
  for (int Descriptor : {OutputDescriptor, ArenaDescriptor})
    if (Descriptor >= 0)
      close(Descriptor);
}

bool Variant::start(std::string &Problem) {
  if (OutputDescriptor < 0) {
    OutputDescriptor = memory("output", OutputSize);
    ArenaDescriptor = memory("arena", ArenaSize);
    Output = mapped(OutputDescriptor, OutputSize);
    Arena = mapped(ArenaDescriptor, ArenaSize);
  }
  int CommandPipe[2], ReportPipe[2];
  if (pipe2(CommandPipe, O_CLOEXEC) != 0 || pipe2(ReportPipe, O_CLOEXEC) != 0) {
    Problem = std::string("pipe: ") + strerror(errno);
    return false;
  }
  pid_t Parent = getpid();
  Process = fork();
  if (Process < 0) {
    Problem = std::string("fork: ") + strerror(errno);
    return false;
  }
  if (Process == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != Parent)
      _exit(127);
    personality(ADDR_NO_RANDOMIZE);
    int Null = open("/dev/null", O_RDWR);
    dup2(Null, 0);
    dup2(Null, 1);
    if (!getenv("CC_AGENT_TESTER_STDERR"))
      dup2(Null, 2);
    char Words[7][16];
    int Numbers[] = {Input.descriptor(), OutputDescriptor, ArenaDescriptor, CommandPipe[0], ReportPipe[1], Fill, static_cast<int>(Flags)};
    char *Arguments[9] = {const_cast<char *>(Path.c_str())};
    for (int Index = 0; Index < 7; ++Index) {
      snprintf(Words[Index], sizeof Words[Index], "%d", Numbers[Index]);
      Arguments[Index + 1] = Words[Index];
    }
    for (int Descriptor : {CommandPipe[0], ReportPipe[1]})
      fcntl(Descriptor, F_SETFD, 0);
    char *Environment[] = {nullptr};
    execve(Path.c_str(), Arguments, Environment);
    _exit(127);
  }
  close(CommandPipe[0]);
  close(ReportPipe[1]);
  Commands = CommandPipe[1];
  Reports = ReportPipe[0];
  if (awaitReport(20000) != 'S') {
    int Status = stop();
    // Statuses 3 and 127 are those of our own preparations. What has not ended was too slow.
    DiesInConstruction = WIFEXITED(Status) ? WEXITSTATUS(Status) != 3 && WEXITSTATUS(Status) != 127 : WTERMSIG(Status) != SIGKILL;
    Problem = Path + " does not start (" +
              (WIFEXITED(Status) ? "status " + std::to_string(WEXITSTATUS(Status)) : "signal " + std::to_string(WTERMSIG(Status))) + ")";
    return false;
  }
  if (output().Version != LayoutVersion) {
    Problem = Path + " was built for another version of the tester";
    return false;
  }
  return true;
}

int Variant::awaitReport(int TimeoutMs) {
  pollfd Poll{Reports, POLLIN, 0};
  while (poll(&Poll, 1, TimeoutMs) < 0 && errno == EINTR)
    ;
  char Letter = 0;
  if (!(Poll.revents & (POLLIN | POLLHUP)) || read(Reports, &Letter, 1) != 1)
    return 0;
  return Letter;
}

void Variant::run(uint32_t TimeoutMs, bool Fresh) {
  Input.header().TimeoutMs = TimeoutMs;
  auto &Result = *reinterpret_cast<OutputHeader *>(Output);
  Result.Outcome = OutcomeNone;
  Result.Detail = 0;
  const char *Text = Fresh ? "QR" : "R";
  size_t Size = strlen(Text);
  const uint64_t EffortToBegin = Flags & VariantSanitized ? EffortOfSanitizedProcess : EffortOfProcess;
  Effort += Fresh ? 1 + EffortToBegin : 1;
  if (write(Commands, Text, Size) == static_cast<ssize_t>(Size))
    // The worker stops itself by processor time; on a busy machine that takes longer on the clock.
    if (int Letter = awaitReport(static_cast<int>(TimeoutMs) * 20 + 10000); Letter == 'D' || Letter == 'X') {
      Effort += Letter == 'X' ? EffortToBegin : 0;
      if (output().TracedCount)
        Effort += output().TracedCount / TracedOfEffort;
      else if (output().Outcome == OutcomeTimeout)
        Effort += EffortOfMillisecond * TimeoutMs;
      return;
    }
  // The whole server is gone or stuck: again from the start.
  Effort += EffortToBegin;
  stop();
  std::string Problem;
  if (!start(Problem)) {
    fprintf(stderr, "%s\n", Problem.c_str());
    exit(3);
  }
  Result.Outcome = OutcomeTimeout;
}

int Variant::stop() {
  int Status = 0;
  if (Process > 0) {
    kill(Process, SIGKILL); // the kernel ends its server and worker with it; what is ending already keeps its status
    while (waitpid(Process, &Status, 0) < 0 && errno == EINTR)
      ;
    Process = -1;
  }
  for (int *Descriptor : {&Commands, &Reports})
    if (*Descriptor >= 0) {
      close(*Descriptor);
      *Descriptor = -1;
    }
  return Status;
}

} // namespace cct
