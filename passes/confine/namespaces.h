// The namespaces around a confined program, and what it sees of the file system in them.
#pragma once

#include <string>
#include <sys/types.h>

namespace cc_agent {

struct View {
  std::string scratch; ///< the directory that it may write to, absolute
  std::string at;      ///< where it finds that directory; may be the same path
};

/// Starts a process with namespaces of its own: the first of a new process namespace, with its own user, mount, network,
/// IPC and host name namespaces. Returns 0 in the child, its number in the parent, -1 with errno where the kernel refuses.
pid_t forkIntoNamespaces();

/// In that child: maps the user onto itself, makes everything read-only but the scratch directory, shows only harmless
/// devices and its own processes. Returns what could not be done, or nothing.
std::string arrangeView(const View &view, uid_t user, gid_t group);

} // namespace cc_agent
