// The code under test is not trusted: no network, no files, no other processes, and no system call but what computing needs.
#include "state.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstddef>
#include <cstdlib>
#include <utility>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

namespace cct {
namespace {

void limit(decltype(RLIMIT_CORE) Which, rlim_t Value) {
  rlimit Limit{Value, Value};
  setrlimit(Which, &Limit);
}

[[noreturn]] void die(uint32_t Outcome, uint64_t Detail, uint64_t Address) {
  output().Outcome = Outcome;
  output().Detail = Detail;
  output().FaultAddress = Address;
  if (state().InCall && Outcome != OutcomeTimeout) // how far it came
    endCall(input().Call[output().CallsDone].Function);
  _exit(1);
}

// All that the next run needs is put back before it: another process would take the time of fifteen runs. But the sanitizers' own
// memory is not.
void leave(uint32_t Outcome, uint64_t Detail, uint64_t Address) {
  if (state().Sanitized || tysan_set_type_unknown || !state().InCall)
    die(Outcome, Detail, Address);
  output().FaultAddress = Address;
  abandonRun(Outcome, Detail);
}

void onFault(int Signal, siginfo_t *Info, void *) {
  if (Signal == SIGSYS)
    die(OutcomeForbidden, static_cast<uint64_t>(Info->si_syscall), 0);
  if (Signal != SIGALRM)
    leave(OutcomeSignal, static_cast<uint64_t>(Signal), reinterpret_cast<uint64_t>(Info->si_addr));
  else if (isOutOfTime())
    leave(OutcomeTimeout, 0, 0);
}

} // namespace

// Says in the output which of them the kernel granted: in containers some are not to be had.
void enterNamespaces() {
  uint32_t Granted = 0;
  uid_t User = geteuid();
  gid_t Group = getegid();
  if (unshare(CLONE_NEWUSER) == 0) {
    Granted |= 1;
    char Text[64];
    for (auto [Path, Number] : {std::pair{"/proc/self/uid_map", User}, std::pair{"/proc/self/gid_map", Group}}) {
      if (Number == Group && Path[11] == 'g')
        if (int Deny = open("/proc/self/setgroups", O_WRONLY); Deny >= 0) {
          [[maybe_unused]] ssize_t Done = write(Deny, "deny", 4);
          close(Deny);
        }
      if (int File = open(Path, O_WRONLY); File >= 0) {
        int Size = snprintf(Text, sizeof Text, "0 %u 1", Number);
        [[maybe_unused]] ssize_t Done = write(File, Text, static_cast<size_t>(Size));
        close(File);
      }
    }
  }
  if (unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) == 0)
    Granted |= 2;
  if (unshare(CLONE_NEWNS) == 0) {
    Granted |= 4;
    // An empty file system that cannot be written is all that there is.
    if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
        mount("none", "/tmp", "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k") == 0 && chroot("/tmp") == 0 && chdir("/") == 0)
      Granted |= 32;
  }
  if (unshare(CLONE_NEWPID) == 0)
    Granted |= 8;
  output().Isolation = Granted;
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_FSIZE, 0);
}

void installHandlers() {
  constexpr size_t Size = 64 << 10;
  stack_t Alternate{};
  Alternate.ss_sp = mmap(nullptr, Size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  Alternate.ss_size = Size;
  sigaltstack(&Alternate, nullptr);
  struct sigaction Action{};
  Action.sa_sigaction = onFault;
  Action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER; // it may not return
  sigemptyset(&Action.sa_mask);
  for (int Signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS, SIGALRM})
    sigaction(Signal, &Action, nullptr);
  sigset_t Timer;
  sigemptyset(&Timer);
  sigaddset(&Timer, SIGALRM); // whoever began us may have blocked it
  sigprocmask(SIG_UNBLOCK, &Timer, nullptr);
}

void restrictWorker() {
  limit(RLIMIT_NPROC, 0);
  if (!state().Sanitized) // AddressSanitizer reserves terabytes of addresses
    limit(RLIMIT_AS, 2ull << 30);
#if defined(__x86_64__) || defined(__aarch64__)
#if defined(__x86_64__)
  constexpr uint32_t Architecture = AUDIT_ARCH_X86_64;
#else
  constexpr uint32_t Architecture = AUDIT_ARCH_AARCH64;
#endif
  const int Allowed[] = {SYS_read,          SYS_exit,   SYS_exit_group,   SYS_rt_sigreturn, SYS_rt_sigprocmask, SYS_sigaltstack,
                         SYS_mmap,          SYS_munmap, SYS_mprotect,     SYS_madvise,      SYS_brk,            SYS_mremap,
                         SYS_clock_gettime, SYS_futex,  SYS_setitimer,    SYS_getpid,       SYS_gettid,         SYS_sched_yield};
  sock_filter Program[64];
  unsigned short Length = 0;
  auto add = [&](sock_filter Instruction) { Program[Length++] = Instruction; };
  auto jump = [](uint16_t Code, uint32_t Value, uint8_t True, uint8_t False) { return sock_filter{Code, True, False, Value}; };
  add(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)));
  add(jump(BPF_JMP | BPF_JEQ | BPF_K, Architecture, 1, 0));
  add(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
  add(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
  for (int Number : Allowed) {
    add(jump(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(Number), 0, 1));
    add(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  }
  // Writing is for the reports and for standard error, which is nowhere.
  add(jump(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 0, 4));
  add(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[0])));
  add(jump(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(state().ReportDescriptor), 1, 0));
  add(jump(BPF_JMP | BPF_JEQ | BPF_K, 2, 0, 1));
  add(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  add(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP));
  sock_fprog Filter{Length, Program};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &Filter) == 0)
    output().Isolation |= 16;
#endif
}

} // namespace cct
