#include "namespaces.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace cc_agent {
namespace {

// Linux 5.12; spelled out because glibc 2.36 is the first that has them.
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
constexpr uint64_t ReadOnly = 0x1, NoSetUser = 0x2;
constexpr unsigned Recursive = 0x8000;
struct MountAttributes {
  uint64_t set, clear, propagation, userNamespace;
};

std::string because(const std::string &what) { return what + ": " + std::strerror(errno); }

bool setMount(const char *path, unsigned flags, uint64_t set, uint64_t clear) {
  MountAttributes attributes{set, clear, 0, 0};
  return syscall(SYS_mount_setattr, AT_FDCWD, path, flags, &attributes, sizeof attributes) == 0;
}

bool writeFile(const char *path, const std::string &text) {
  int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0)
    return false;
  bool written = write(file, text.data(), text.size()) == ssize_t(text.size());
  close(file);
  return written;
}

std::string descriptorPath(int descriptor) { return "/proc/self/fd/" + std::to_string(descriptor); }

/// A /dev with nothing that stores anything: as root the disks themselves would be there otherwise.
std::string arrangeDevices() {
  const std::vector<const char *> names{"null", "zero", "full", "random", "urandom"};
  std::vector<int> nodes;
  for (const char *name : names)
    nodes.push_back(open((std::string("/dev/") + name).c_str(), O_PATH | O_CLOEXEC));
  if (mount("devices", "/dev", "tmpfs", MS_NOSUID, "size=64k,mode=755") != 0)
    return because("cannot mount /dev");
  for (size_t index = 0; index < names.size(); ++index) {
    std::string path = std::string("/dev/") + names[index];
    if (nodes[index] < 0)
      continue;
    close(open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0666));
    if (mount(descriptorPath(nodes[index]).c_str(), path.c_str(), nullptr, MS_BIND, nullptr) != 0)
      return because("cannot show " + path);
    close(nodes[index]);
  }
  for (auto [name, target] : {std::pair{"fd", "/proc/self/fd"}, {"stdin", "/proc/self/fd/0"}, {"stdout", "/proc/self/fd/1"}, {"stderr", "/proc/self/fd/2"}})
    if (symlink(target, (std::string("/dev/") + name).c_str()) != 0)
      return because("cannot fill /dev");
  mkdir("/dev/shm", 0777);
  if (mount("memory", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "size=256m,mode=1777") != 0)
    return because("cannot mount /dev/shm");
  return "";
}

/// A /tmp that can be written to and forgets it: much code has that path built in (tmpfile()). Not essential: where the
/// kernel has no overlays for users it stays read-only.
bool arrangeTemporaries() {
  // Its layers are made in /dev/shm, the one place that can be written to by now.
  if (mkdir("/dev/shm/.upper", 01777) != 0 || mkdir("/dev/shm/.work", 0700) != 0)
    return false;
  bool done = chmod("/dev/shm/.upper", 01777) == 0 &&
              mount("temporaries", "/tmp", "overlay", MS_NOSUID | MS_NODEV, "lowerdir=/tmp,upperdir=/dev/shm/.upper,workdir=/dev/shm/.work,userxattr") == 0;
  // Hidden again: a second, empty file system on top.
  return mount("memory", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "size=256m,mode=1777") == 0 && done;
}

/// Its own loopback, so that a test suite may talk to itself; nothing leads out of it. Not essential.
void raiseLoopback() {
  int handle = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (handle >= 0) {
    ioctl(handle, SIOCSIFFLAGS, &request);
    close(handle);
  }
}

} // namespace

pid_t forkIntoNamespaces() {
  // Without a stack of its own clone() is fork(): the child goes on here.
  return pid_t(syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
}

std::string arrangeView(const View &view, uid_t user, gid_t group) {
  std::string same = std::to_string(user) + " " + std::to_string(user) + " 1";
  std::string sameGroup = std::to_string(group) + " " + std::to_string(group) + " 1";
  if (!writeFile("/proc/self/setgroups", "deny") || !writeFile("/proc/self/uid_map", same) || !writeFile("/proc/self/gid_map", sameGroup))
    return because("cannot map the user");
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return because("cannot make the mounts private");
  int scratch = open(view.scratch.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (scratch < 0)
    return because("cannot open " + view.scratch);
  if (std::string fault = arrangeDevices(); !fault.empty())
    return fault;
  bool temporaries = arrangeTemporaries();
  // Sockets of the machine's services are files there.
  if (mount("run", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "size=64k,mode=755") != 0 && errno != ENOENT)
    return because("cannot hide /run");
  if (mount(descriptorPath(scratch).c_str(), view.at.c_str(), nullptr, MS_BIND, nullptr) != 0)
    return because("cannot mount the scratch directory on " + view.at);
  close(scratch);
  if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0)
    return because("cannot mount /proc");
  // /proc too: to root in a user namespace the kernel's settings in there are files that it owns.
  if (!setMount("/", Recursive, ReadOnly | NoSetUser, 0))
    return because("cannot make the file system read-only");
  std::vector<const char *> writable{view.at.c_str(), "/dev/shm"};
  if (temporaries)
    writable.push_back("/tmp");
  // The place where the scratch directory is found may be below /tmp, and was mounted after it: both are seen.
  for (const char *path : writable)
    if (!setMount(path, 0, 0, ReadOnly))
      return because(std::string("cannot make writable ") + path);
  raiseLoopback();
  return "";
}

} // namespace cc_agent
