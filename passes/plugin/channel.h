// JSON objects over a socket or a pipe, one a line.
#pragma once
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"
#include <cerrno>
#include <string>
#include <unistd.h>

namespace cc_agent {

/// One line of text at a time over the socket.
class Channel {
public:
  explicit Channel(int descriptor) : descriptor(descriptor) {}

  bool readLine(std::string &line) {
    size_t end;
    while ((end = pending.find('\n')) == std::string::npos) {
      char buffer[65536];
      ssize_t count = read(descriptor, buffer, sizeof buffer);
      if (count < 0 && errno == EINTR)
        continue;
      if (count <= 0)
        return false;
      pending.append(buffer, size_t(count));
    }
    line = pending.substr(0, end);
    pending.erase(0, end + 1);
    return true;
  }

  bool writeLine(llvm::json::Object object) {
    std::string line;
    llvm::raw_string_ostream(line) << llvm::json::Value(std::move(object)) << '\n';
    for (llvm::StringRef left = line; !left.empty();) {
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
  int descriptor;
  std::string pending;
};

} // namespace cc_agent
