#include "locate.h"

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <sys/stat.h>
#include <unistd.h>

namespace cc_agent {
namespace {

// The directories that CMake found when this program was built.
const char *const default_llvm = CC_AGENT_LLVM_DEFAULT;
const char *const default_python = CC_AGENT_PYTHON_DEFAULT;
const char *const llvm_major = CC_AGENT_LLVM_MAJOR;

bool is_file(const std::string &path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && !S_ISDIR(status.st_mode);
}

bool is_directory(const std::string &path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

std::string parent(const std::string &path) {
  std::size_t slash = path.rfind('/');
  if (slash == std::string::npos)
    return "";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string real_program_path() {
  char buffer[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", buffer, sizeof buffer);
  return length > 0 ? std::string(buffer, static_cast<std::size_t>(length)) : "";
}

std::string llvm_prefix() {
  std::string chosen = environment("CC_AGENT_LLVM");
  return chosen.empty() ? default_llvm : chosen;
}

} // namespace

std::string environment(const char *name) {
  const char *value = std::getenv(name);
  return value ? value : "";
}

Installation find_installation(const char *program) {
  Installation found;
  std::string name = program;
  found.cxx = name.size() >= 2 && name.compare(name.size() - 2, 2, "++") == 0;
  found.clang = llvm_prefix() + (found.cxx ? "/bin/clang++" : "/bin/clang");
  found.plugin = parent(parent(real_program_path())) + "/lib/cc-agent.so";
  found.python = environment("CC_AGENT_PYTHON");
  if (found.python.empty())
    found.python = default_python;
  return found;
}

std::string plugin_obstacle(const Installation &installation) {
  if (!is_file(installation.plugin))
    return "the plugin " + installation.plugin + " is missing; build it with: make setup";
  // A plugin of another LLVM version makes clang stop with an error. Its resource directory tells the version.
  if (llvm_prefix() != default_llvm && !is_directory(llvm_prefix() + "/lib/clang/" + llvm_major))
    return llvm_prefix() + " is not LLVM " + llvm_major + ", which the plugin was built for";
  return "";
}

std::string user_cache() {
  if (std::string chosen = environment("CC_AGENT_CACHE"); !chosen.empty())
    return absolute_path(chosen);
  std::string base = environment("XDG_CACHE_HOME");
  if (base.empty() || base[0] != '/') {
    base = environment("HOME");
    if (base.empty())
      return "";
    base += "/.cache";
  }
  return base + "/cc-agent";
}

std::string current_directory() {
  char buffer[PATH_MAX];
  return getcwd(buffer, sizeof buffer) ? buffer : "";
}

std::string absolute_path(const std::string &path) {
  return !path.empty() && path[0] == '/' ? path : current_directory() + "/" + path;
}

// Without `.`, `..` and doubled slashes, by the path as it is written: the search upward must see each directory once.
static std::string normal_path(const std::string &path) {
  std::string result;
  for (std::size_t start = 0; start < path.size();) {
    std::size_t end = std::min(path.find('/', start), path.size());
    std::string name = path.substr(start, end - start);
    if (name == "..")
      result.erase(std::min(result.rfind('/'), result.size()));
    else if (!name.empty() && name != ".")
      result += "/" + name;
    start = end + 1;
  }
  return result.empty() ? "/" : result;
}

// A lock decides what code is made, and in a directory such as /tmp anybody can leave one above the sources of others. Whoever
// wrote the source decides that anyway.
static bool is_trusted(const std::string &lock, const std::string &source) {
  struct stat of_lock, of_source;
  if (stat(lock.c_str(), &of_lock) != 0)
    return false;
  return of_lock.st_uid == 0 || of_lock.st_uid == geteuid() ||
         (stat(source.c_str(), &of_source) == 0 && of_lock.st_uid == of_source.st_uid);
}

std::string find_lock(const std::string &source) {
  std::string chosen = environment("CC_AGENT_LOCK");
  if (!chosen.empty())
    return absolute_path(chosen);
  for (std::string directory = parent(normal_path(absolute_path(source)));; directory = parent(directory)) {
    std::string candidate = (directory == "/" ? "" : directory) + "/cc-agent.lock";
    if (is_file(candidate) && is_trusted(candidate, source))
      return candidate;
    if (directory.size() <= 1)
      break;
  }
  std::string cache = user_cache();
  return cache.empty() ? "" : cache + "/cc-agent.lock";
}

void make_parent_directories(const std::string &path) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1))
    mkdir(path.substr(0, slash).c_str(), 0777);
}

} // namespace cc_agent
