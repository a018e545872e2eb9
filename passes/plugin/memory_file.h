// What a child writes, without a file on disk.
#pragma once
#include "llvm/ADT/StringRef.h"
#include <algorithm>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace cc_agent {

/// A file in memory that holds what a child writes; gone when both have closed it.
class MemoryFile {
public:
  MemoryFile() : descriptor(memfd_create("cc-agent", MFD_CLOEXEC)) {}
  ~MemoryFile() { close(descriptor); }
  MemoryFile(const MemoryFile &) = delete;
  MemoryFile &operator=(const MemoryFile &) = delete;

  int get() const { return descriptor; }

  /// The last `most` bytes.
  std::string tail(size_t most) const {
    struct stat information;
    if (fstat(descriptor, &information) != 0 || information.st_size == 0)
      return "";
    size_t size = std::min(size_t(information.st_size), most);
    std::string text(size, '\0');
    ssize_t count = pread(descriptor, text.data(), size, off_t(information.st_size) - off_t(size));
    text.resize(count > 0 ? size_t(count) : 0);
    return text;
  }

  /// Calls `use` with the whole content.
  template <typename Use> auto withContent(Use use) const {
    struct stat information;
    size_t size = fstat(descriptor, &information) == 0 ? size_t(information.st_size) : 0;
    void *mapped = size ? mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0) : MAP_FAILED;
    auto result = use(mapped == MAP_FAILED ? llvm::StringRef() : llvm::StringRef(static_cast<const char *>(mapped), size));
    if (mapped != MAP_FAILED)
      munmap(mapped, size);
    return result;
  }

private:
  int descriptor;
};

} // namespace cc_agent
