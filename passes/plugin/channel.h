// JSON objects, one a line, over a socket or (writing alone) a pipe; a descriptor may travel with a line over a socket.
#pragma once
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"
#include <cerrno>
#include <cstring>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

namespace cc_agent {

class Channel {
public:
  explicit Channel(int descriptor) : descriptor(descriptor) {}

  /// Whether readLine() has a line without waiting for one.
  bool hasLine() const { return pending.find('\n') != std::string::npos; }

  bool readLine(std::string &line) {
    size_t end;
    while ((end = pending.find('\n')) == std::string::npos) {
      char buffer[65536];
      Message message(buffer, sizeof buffer);
      ssize_t count = recvmsg(descriptor, &message.header, MSG_CMSG_CLOEXEC);
      if (count < 0 && errno == EINTR)
        continue;
      if (count <= 0)
        return false;
      message.takeDescriptor(received);
      pending.append(buffer, size_t(count));
    }
    line = pending.substr(0, end);
    pending.erase(0, end + 1);
    return true;
  }

  /// The descriptor that came with a line since the last call, which the caller now owns; -1 if none did.
  int takeDescriptor() {
    int taken = received;
    received = -1;
    return taken;
  }

  bool writeLine(llvm::json::Object object) { return writeText(textOf(std::move(object))); }

  /// Writes a line, and gives the other side a duplicate of one of this process's descriptors with it.
  bool writeLine(llvm::json::Object object, int sent) {
    std::string line = textOf(std::move(object));
    Message message(line.data(), 1);
    message.putDescriptor(sent);
    return sendmsg(descriptor, &message.header, MSG_NOSIGNAL) == 1 && writeText(llvm::StringRef(line).drop_front());
  }

  bool writeText(llvm::StringRef left) {
    while (!left.empty()) {
      ssize_t count = write(descriptor, left.data(), left.size());
      if (count < 0 && errno == EINTR)
        continue;
      if (count <= 0)
        return false;
      left = left.drop_front(size_t(count));
    }
    return true;
  }

private:
  struct Message {
    iovec content;
    alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int))] = {};
    msghdr header = {};

    Message(char *bytes, size_t count) : content{bytes, count} {
      header.msg_iov = &content;
      header.msg_iovlen = 1;
      header.msg_control = space;
      header.msg_controllen = sizeof space;
    }
    void putDescriptor(int sent) {
      cmsghdr *rights = CMSG_FIRSTHDR(&header);
      rights->cmsg_level = SOL_SOCKET;
      rights->cmsg_type = SCM_RIGHTS;
      rights->cmsg_len = CMSG_LEN(sizeof sent);
      std::memcpy(CMSG_DATA(rights), &sent, sizeof sent);
    }
    void takeDescriptor(int &into) {
      cmsghdr *rights = CMSG_FIRSTHDR(&header);
      if (rights && rights->cmsg_level == SOL_SOCKET && rights->cmsg_type == SCM_RIGHTS)
        std::memcpy(&into, CMSG_DATA(rights), sizeof into);
    }
  };

  int descriptor;
  int received = -1;
  std::string pending;

  static std::string textOf(llvm::json::Object object) {
    std::string line;
    llvm::raw_string_ostream(line) << llvm::json::Value(std::move(object)) << '\n';
    return line;
  }
};

} // namespace cc_agent
