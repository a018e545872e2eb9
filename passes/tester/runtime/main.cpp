// A variant of a unit as a server: it runs one input per command, in a worker process that starts again after a crash.
//
//     VARIANT INPUT OUTPUT ARENA COMMANDS REPORTS FILL FLAGS
//
// The first five are descriptors: memory that is shared with the controller, and two pipes. On COMMANDS each 'R' is one run,
// 'Q' ends the worker, so that the next run begins in a fresh one. On REPORTS come one 'S' at the start, then for each run 'D'
// (done: the output says how) or 'X' (the worker is dead; the output says of what, if anybody knew).
// FILL is the byte that fresh memory holds. FLAGS: 1 the variant has AddressSanitizer.
#include "state.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <utility>

using namespace cct;

extern "C" {
extern char __executable_start, _end;

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

[[noreturn]] void fail(const char *What) {
  perror(What);
  _exit(3);
}

void map(uint64_t Address, uint64_t Size, int Descriptor, bool Writable) {
  int Kind = Descriptor >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
  void *Wanted = reinterpret_cast<void *>(Address);
  // The system call itself: TypeSanitizer's mmap writes eight bytes for each that is mapped, which takes most of a second.
  long Got = syscall(SYS_mmap, Wanted, Size, PROT_READ | (Writable ? PROT_WRITE : 0), Kind | MAP_FIXED_NOREPLACE | MAP_NORESERVE, Descriptor, 0L);
  if (Got != reinterpret_cast<long>(Wanted))
    fail("mapping a fixed address");
}

// Writes the jumps to the callbacks.
void makeCallbacks() {
  constexpr uint64_t Size = MaxCallbacks * CallbackStride;
  map(CallbackBase, Size, -1, true);
  for (uint32_t Index = 0; Index < cct_counts[3] && Index < MaxCallbacks; ++Index) {
    auto *Code = reinterpret_cast<uint8_t *>(CallbackBase + Index * CallbackStride);
    const void *Target = cct_callbacks[Index].Address;
#if defined(__x86_64__)
    const uint8_t Load[] = {0x49, 0xBB}, Jump[] = {0x41, 0xFF, 0xE3}; // movabs $Target, %r11; jmp *%r11
    memcpy(Code, Load, 2);
    memcpy(Code + 2, &Target, 8);
    memcpy(Code + 10, Jump, 3);
#elif defined(__aarch64__)
    const uint32_t Jump[] = {0x58000050, 0xD61F0200}; // ldr x16, 8; br x16
    memcpy(Code, Jump, 8);
    memcpy(Code + 8, &Target, 8);
    __builtin___clear_cache(reinterpret_cast<char *>(Code), reinterpret_cast<char *>(Code + 16));
#endif
  }
  mprotect(reinterpret_cast<void *>(CallbackBase), Size, PROT_READ | PROT_EXEC);
}

// Which memory a run may change and the next one must not see: the image's data, and the first thread's own variables.
void findRanges() {
  State &S = state();
  FILE *Maps = fopen("/proc/self/maps", "r");
  if (!Maps)
    fail("/proc/self/maps");
  char Line[512];
  uint64_t Break = reinterpret_cast<uint64_t>(sbrk(0));
  while (fgets(Line, sizeof Line, Maps)) {
    unsigned long Begin, End;
    char Mode[8];
    if (sscanf(Line, "%lx-%lx %7s", &Begin, &End, Mode) != 3 || Mode[1] != 'w')
      continue;
    if (Begin < S.ImageBegin || Begin >= reinterpret_cast<uint64_t>(&_end) || S.RangeCount == MaxRanges - 1)
      continue;
    S.Ranges[S.RangeCount++] = {reinterpret_cast<uint8_t *>(Begin), End - Begin, nullptr};
  }
  fclose(Maps);
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
    restore({S.Ranges[Index].Copy, S.Ranges[Index].Size, S.Ranges[Index].Begin});
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
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  installHandlers();
  restrictWorker();
  for (;;) {
    char Command;
    if (read(Commands, &Command, 1) != 1)
      _exit(7);
    if (Command == 'Q')
      _exit(0);
    run();
    report('D');
  }
}

[[noreturn]] void serve(int Commands) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  report('S');
  for (;;) {
    pid_t Worker = fork();
    if (Worker < 0)
      fail("fork");
    if (Worker == 0)
      work(Commands);
    int Status = 0;
    while (waitpid(Worker, &Status, 0) < 0)
      ;
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

// The sanitizer's stack for local variables has frames one beside the other. Those that no call has had yet may be read and
// written in its eyes: an index that is far out of bounds would go unseen. A call takes the mark off its own.
// No more than the stack: errno may lie in the very next page.
void poisonFreeFrames() {
  constexpr uint64_t SizeClasses = 11, Flags = 8192; // Source: compiler-rt, asan_fake_stack.h, for max_uar_stack_size_log=16
  if (void *Stack = __asan_get_current_fake_stack())
    __asan_poison_memory_region(Stack, Flags + (SizeClasses << 16));
}

void poisonObjects() {
  __asan_poison_memory_region(reinterpret_cast<void *>(ArenaBase), ArenaSize);
  __asan_poison_memory_region(reinterpret_cast<void *>(HeapBase), HeapSize);
}

void poisonBehindGlobals() {
  for (uint32_t Index = 0; Index < cct_counts[1]; ++Index)
    if (const GlobalEntry &G = cct_globals[Index]; G.Address && (G.Flags & GlobalForeign))
      __asan_poison_memory_region(G.Address + G.Size, GlobalRedZone);
}

} // namespace

int main(int Count, char **Arguments) {
  if (Count != 8) {
    fprintf(stderr, "this program is run by cc-agent-tester only\n");
    return 2;
  }
  int Commands = atoi(Arguments[4]);
  map(InputBase, InputSize, atoi(Arguments[1]), false);
  map(OutputBase, OutputSize, atoi(Arguments[2]), true);
  map(ArenaBase, ArenaSize, atoi(Arguments[3]), true);
  map(HeapBase, HeapSize, -1, true);
  map(StackBase, StackSize, -1, true);
  map(StateBase, sizeof(State), -1, true);
  map(ArgumentsBase, InputArgumentsSize, -1, true);
  makeCallbacks();
  State &S = state();
  S.ReportDescriptor = atoi(Arguments[5]);
  S.Fill = static_cast<uint8_t>(atoi(Arguments[6]));
  S.Sanitized = (atoi(Arguments[7]) & 1) && __asan_poison_memory_region;
  S.ImageBegin = reinterpret_cast<uint64_t>(&__executable_start);
  setvbuf(stdout, nullptr, _IONBF, 0);
  if (!S.Sanitized)
    findRanges();
  else {
    S.ImageEnd = reinterpret_cast<uint64_t>(&_end);
    poisonFreeFrames();
    poisonBehindGlobals();
    poisonObjects();
    // The sanitizer's own data must not be put back: only that of the unit, which is linked between two marks.
    for (auto [Begin, End] : {std::pair{cct_data_begin, cct_data_end}, std::pair{cct_bss_begin, cct_bss_end}})
      S.Ranges[S.RangeCount++] = {reinterpret_cast<uint8_t *>(Begin), static_cast<uint64_t>(End - Begin), nullptr};
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
