#include "restrict.h"

#include <cerrno>
#include <cstddef>
#include <dirent.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace cc_agent {
namespace {

#if defined(__x86_64__)
constexpr uint32_t Architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t Architecture = AUDIT_ARCH_AARCH64;
#else
#error "say which architecture's system calls are filtered here"
#endif

void limit(int resource, uint64_t soft, uint64_t hard) {
  rlimit now;
  if (soft == 0 || getrlimit(resource, &now) != 0)
    return;
  auto below = [&](uint64_t value) { return now.rlim_max == RLIM_INFINITY || value < now.rlim_max ? rlim_t(value) : now.rlim_max; };
  rlimit wanted{below(soft), below(hard)};
  setrlimit(resource, &wanted);
}

/// Processes of this user on the whole machine, which is what the kernel compares the limit with outside of a namespace.
uint64_t ownProcesses() {
  uint64_t found = 0;
  if (DIR *directory = opendir("/proc")) {
    while (dirent *entry = readdir(directory)) {
      struct stat status;
      if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && fstatat(dirfd(directory), entry->d_name, &status, 0) == 0 && status.st_uid == getuid())
        ++found;
    }
    closedir(directory);
  }
  return found;
}

} // namespace

void applyLimits(const Limits &limits, bool ownUser) {
  // SIGXCPU at the soft limit can be caught, SIGKILL at the hard one cannot.
  limit(RLIMIT_CPU, limits.cpuSeconds, limits.cpuSeconds + 1);
  limit(RLIMIT_AS, limits.addressSpaceBytes, limits.addressSpaceBytes);
  limit(RLIMIT_FSIZE, limits.fileBytes, limits.fileBytes);
  // The kernel does not hold root to this one; what watches us does, but later.
  if (limits.processes)
    limit(RLIMIT_NPROC, limits.processes + 2 + (ownUser ? 0 : ownProcesses()), limits.processes + 2 + (ownUser ? 0 : ownProcesses()));
  rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
}

bool giveUpRights(bool everySocket) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return false;
  // In limits-only mode an ordinary user has none to drop; what matters is that none is left.
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability)
    prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  if (syscall(SYS_capset, &header, data) != 0)
    return false;
  // A socket in the file system leads out of the network namespace, to any service that listens on one.
  const uint8_t family = everySocket ? 0 : 1;
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, Architecture, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 4, 0), // x32 has numbers of its own for the same calls
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 3, 0), // a ring makes sockets without the call below
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[0])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 0, family),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog filter{sizeof program / sizeof *program, program};
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
}

} // namespace cc_agent
