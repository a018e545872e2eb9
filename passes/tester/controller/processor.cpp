#include "processor.h"

#include <cstddef>
#include <cstdio>
#include <sched.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace cct {
namespace {

// A name that only one process may have, until it ends; no file is left behind.
bool take(int Processor) {
  sockaddr_un Name{};
  Name.sun_family = AF_UNIX;
  int Size = snprintf(Name.sun_path + 1, sizeof Name.sun_path - 1, "cc-agent-tester-on-%d", Processor);
  int Socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (Socket < 0)
    return false;
  if (bind(Socket, reinterpret_cast<sockaddr *>(&Name), static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + static_cast<size_t>(Size))) == 0)
    return true; // it stays open
  close(Socket);
  return false;
}

} // namespace

void stayOnOneProcessor() {
  cpu_set_t Allowed;
  if (sched_getaffinity(0, sizeof Allowed, &Allowed) != 0 || CPU_COUNT(&Allowed) < 2)
    return;
  const int Here = sched_getcpu();
  for (int Number = 0; Number < CPU_SETSIZE; ++Number) {
    const int Processor = (Here + Number) % CPU_SETSIZE; // the one that it is on first
    if (Here < 0 || !CPU_ISSET(Processor, &Allowed) || !take(Processor))
      continue;
    cpu_set_t One;
    CPU_ZERO(&One);
    CPU_SET(Processor, &One);
    sched_setaffinity(0, sizeof One, &One);
    return;
  }
}

} // namespace cct
