#include "sources.h"

#include "locate.h"

#include <sys/stat.h>

namespace cc_agent {

std::string unrepeatable(const CommandLine &line) {
  for (const Source &source : line.sources) {
    struct stat status;
    if (source.path != "-" && stat(source.path.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
      return source.path + ": not a regular file, it may be readable only once";
  }
  return "";
}

bool is_probe(const CommandLine &line) {
  std::string directory = current_directory();
  for (const Source &source : line.sources) {
    std::string name = source.path.substr(source.path.rfind('/') + 1);
    std::string path = source.path[0] == '/' ? source.path : directory + "/" + source.path;
    if (source.path == "-" || name.compare(0, 9, "conftest.") == 0)
      return true;
    for (const char *part : {"CMakeFiles/CMakeTmp", "CMakeScratch", "/CompilerId", "meson-private"})
      if (path.find(part) != std::string::npos || directory.find(part) != std::string::npos)
        return true;
  }
  return false;
}

bool is_rewritable(const std::string &output) {
  struct stat status;
  return output.empty() || (output != "-" && (stat(output.c_str(), &status) != 0 || S_ISREG(status.st_mode)));
}

} // namespace cc_agent
