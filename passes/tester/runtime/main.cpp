// A variant of a unit as a server: it runs one input per command, in a worker process that starts again where a run ends it: after a crash
// with a sanitizer, after a forbidden system call. All else is put back.
//
//     VARIANT INPUT OUTPUT ARENA COMMANDS REPORTS FILL FLAGS
//
// The first five are descriptors: memory that is shared with the controller, and two pipes. On COMMANDS each 'R' is one run,
// 'Q' ends the worker, so that the next run begins in a fresh one. On REPORTS come one 'S' at the start, then for each run 'D'
// (done: the output says how) or 'X' (the worker is dead; the output says of what, if anybody knew).
// FILL, a byte, makes what fresh memory holds other than in the other variants. FLAGS: see VariantSanitized.
#include "state.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <elf.h>
#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <utility>

using namespace cct;

extern "C" {
extern char _end;

// Where an access was wrong: an object that ends there may have to be larger.
void *__asan_get_report_address(void) __attribute__((weak));
void __asan_on_error() { output().FaultAddress = reinterpret_cast<uint64_t>(__asan_get_report_address()); }

const char *__tysan_default_options() { return "halt_on_error=1:symbolize=0:print_summary=0:color=never:exitcode=66:handle_segv=0"; }

const char *__asan_default_options() {
  return "detect_leaks=0:handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:handle_abort=0:symbolize=0:"
         "allocator_may_return_null=1:detect_stack_use_after_return=1:max_uar_stack_size_log=16:print_summary=0:print_legend=0:poison_heap=1:"
         "color=never:use_sigaltstack=0:allow_user_segv_handler=1:exitcode=66:check_initialization_order=0:fast_unwind_on_fatal=1";
}
}

namespace {

// The bytes behind the last block of the C library's own heap.
uint64_t freeAtEnd() {
#if __GLIBC_PREREQ(2, 33)
  return mallinfo2().keepcost;
#else
  return static_cast<uint64_t>(mallinfo().keepcost);
#endif
}

// Which memory a run may change and the next one must not see: the image's data, the C library's own heap (exceptions lie there), and
// the first thread's own variables.
void findRanges() {
  State &S = state();
  FILE *Maps = fopen("/proc/self/maps", "r");
  if (!Maps)
    fail("/proc/self/maps");
  char Line[512];
  uint64_t LibraryHeap = 0;
  while (fgets(Line, sizeof Line, Maps)) {
    unsigned long Begin, End;
    char Mode[8];
    if (sscanf(Line, "%lx-%lx %7s", &Begin, &End, Mode) != 3 || Mode[1] != 'w')
      continue;
    if (strstr(Line, "[heap]") && Begin >= reinterpret_cast<uint64_t>(&_end))
      LibraryHeap = Begin;
    if (Begin < S.ImageBegin || Begin >= reinterpret_cast<uint64_t>(&_end) || S.RangeCount == MaxRanges - 4)
      continue;
    S.Ranges[S.RangeCount++] = {reinterpret_cast<uint8_t *>(Begin), End - Begin, nullptr};
  }
  fclose(Maps);
  constexpr uint64_t Header = 16; // of what is free
  auto Break = reinterpret_cast<uint64_t>(sbrk(0));
  if (uint64_t Free = freeAtEnd(); LibraryHeap && Free > Header && Free < Break - LibraryHeap) {
    S.Break = Break;
    S.LibraryHeap = S.RangeCount;
    S.Ranges[S.RangeCount++] = {reinterpret_cast<uint8_t *>(LibraryHeap), Break - Free + Header - LibraryHeap, nullptr};
  }
  S.ImageEnd = Break > reinterpret_cast<uint64_t>(&_end) ? Break : reinterpret_cast<uint64_t>(&_end);
#if defined(__x86_64__)
  // Thread-local variables lie right below the thread pointer.
  dl_iterate_phdr(
      [](dl_phdr_info *Info, size_t, void *) {
        for (int Index = 0; Index < Info->dlpi_phnum; ++Index)
          if (const auto &Header = Info->dlpi_phdr[Index]; Header.p_type == PT_TLS && Header.p_memsz) {
            uint64_t Size = (Header.p_memsz + Header.p_align - 1) / Header.p_align * Header.p_align;
            State &S = state();
            S.Ranges[S.RangeCount++] = {static_cast<uint8_t *>(__builtin_thread_pointer()) - Size, Size, nullptr};
          }
        return 1; // the program itself comes first
      },
      nullptr);
#endif
}

void keep(const Range &R) { restore({R.Copy, R.Size, R.Begin}); }

void takeSnapshot() {
  State &S = state();
  uint64_t Total = 0;
  for (uint32_t Index = 0; Index < S.RangeCount; ++Index)
    Total += S.Ranges[Index].Size;
  auto *Copy = static_cast<uint8_t *>(mmap(nullptr, Total + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  if (Copy == MAP_FAILED)
    fail("memory for the snapshot");
  for (uint32_t Index = 0; Index < S.RangeCount; ++Index) {
    S.Ranges[Index].Copy = Copy;
    Copy += S.Ranges[Index].Size;
  }
  for (uint32_t Index = 0; Index < S.RangeCount; ++Index)
    keep(S.Ranges[Index]);
}

void describe() {
  OutputHeader &O = output();
  O.Version = LayoutVersion;
  O.Functions = cct_counts[0];
  O.ImageBegin = state().ImageBegin;
  O.ImageEnd = state().ImageEnd;
  auto *Present = reinterpret_cast<uint8_t *>(OutputBase + OutputPresent);
  for (uint32_t Index = 0; Index < cct_counts[0] && Index < OutputPresentSize; ++Index)
    Present[Index] = cct_functions[Index].Address != nullptr && cct_functions[Index].Thunk != nullptr;
  describeCoverage();
}

void report(char Letter) {
  if (write(state().ReportDescriptor, &Letter, 1) != 1)
    _exit(4);
}

[[noreturn]] void work(int Commands) {
  const State &S = state();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  installHandlers();
  restrictWorker();
  if (S.Break) // beside the heap the C library keeps this thread's number
    keep(S.Ranges[S.LibraryHeap]);
  for (;;) {
    char Command;
    if (read(Commands, &Command, 1) != 1)
      _exit(7);
    if (Command == 'Q')
      _exit(0);
    run();
    output().Spent = output().SpentBefore + processorTime();
    report('D');
  }
}

uint64_t processorTimeOfDead() {
  rusage Used{};
  getrusage(RUSAGE_CHILDREN, &Used);
  auto nanoseconds = [](const timeval &T) { return static_cast<uint64_t>(T.tv_sec) * 1000000000u + static_cast<uint64_t>(T.tv_usec) * 1000u; };
  return nanoseconds(Used.ru_utime) + nanoseconds(Used.ru_stime);
}

[[noreturn]] void serve(int Commands) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  report('S');
  for (;;) {
    // Not fork: there AddressSanitizer takes all its locks, tens of thousands, and nobody else could hold one.
#if __GLIBC_PREREQ(2, 34)
    pid_t Worker = _Fork();
#else
    pid_t Worker = fork();
#endif
    if (Worker < 0)
      fail("fork");
    if (Worker == 0)
      work(Commands);
    int Status = 0;
    while (waitpid(Worker, &Status, 0) < 0)
      ;
    output().Spent = output().SpentBefore = processorTime() + processorTimeOfDead();
    if (WIFEXITED(Status) && WEXITSTATUS(Status) == 7)
      _exit(0);
    if (!WIFEXITED(Status) || WEXITSTATUS(Status) != 0) {
      if (output().Outcome == OutcomeNone && WIFSIGNALED(Status)) {
        output().Outcome = OutcomeSignal;
        output().Detail = static_cast<uint64_t>(WTERMSIG(Status));
      }
      report('X');
    }
  }
}

} // namespace

int main(int Count, char **Arguments) {
  if (Count != 8) {
    fprintf(stderr, "this program is run by cc-agent-tester only\n");
    return 2;
  }
  int Commands = atoi(Arguments[4]);
  endConstruction(atoi(Arguments[1]));
  State &S = state();
  setvbuf(stdout, nullptr, _IONBF, 0);
  if (!S.Sanitized)
    findRanges();
  else {
    S.ImageEnd = reinterpret_cast<uint64_t>(&_end);
    output().FramesPoisoned = poisonFreeFrames();
    poisonBehindGlobals();
    poisonObjects();
    // The sanitizer's own data must not be put back: only that of the unit, which is linked between two marks.
    for (auto [Begin, End] : {std::pair{cct_data_begin, cct_data_end}, std::pair{cct_bss_begin, cct_bss_end}})
      S.Ranges[S.RangeCount++] = {reinterpret_cast<uint8_t *>(Begin), static_cast<uint64_t>(End - Begin), nullptr};
  }
  S.ImageRanges = S.RangeCount;
  if (S.Constructed) {
    S.Ranges[S.RangeCount++] = {reinterpret_cast<uint8_t *>(HeapBase), S.Constructed, nullptr};
    S.Ranges[S.RangeCount++] = {reinterpret_cast<uint8_t *>(S.Block), S.ConstructedBlocks * sizeof *S.Block, nullptr};
  }
  describe();
  enterNamespaces();
  takeSnapshot();
  // The server is the first process of its namespace: when it ends, all do.
  pid_t Server = fork();
  if (Server < 0)
    fail("fork");
  if (Server == 0)
    serve(Commands);
  close(Commands);
  int Status = 0;
  waitpid(Server, &Status, 0);
  return WIFEXITED(Status) ? WEXITSTATUS(Status) : 5;
}
