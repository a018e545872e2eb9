#include "status.h"

#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdlib>
#include <unistd.h>

using namespace llvm;

namespace cc_agent {
namespace {

int descriptorFrom(const char *variable) {
  const char *text = std::getenv(variable);
  int descriptor;
  return text && !StringRef(text).getAsInteger(10, descriptor) ? descriptor : -1;
}

} // namespace

StringRef lockPath() {
  const char *path = std::getenv("CC_AGENT_PLUGIN_LOCK");
  return path ? path : "";
}

int servingDescriptor() {
  static const int descriptor = descriptorFrom("CC_AGENT_PLUGIN_SERVE");
  return descriptor;
}

Limits replayLimits() {
  Limits limits{0, 0};
  const char *text = std::getenv("CC_AGENT_PLUGIN_LIMITS");
  auto [seconds, mebibytes] = StringRef(text ? text : "").split(' ');
  uint64_t number;
  if (!seconds.getAsInteger(10, number))
    limits.timeoutSeconds = double(number);
  if (!mebibytes.getAsInteger(10, number))
    limits.memoryBytes = number << 20;
  return limits;
}

void reportStatus(StringRef event, StringRef key, StringRef source, StringRef message) {
  int descriptor = descriptorFrom("CC_AGENT_PLUGIN_STATUS");
  if (descriptor < 0)
    return;
  std::string line;
  raw_string_ostream stream(line);
  stream << json::Value(json::Object{{"event", event}, {"key", key}, {"source", json::fixUTF8(source)}, {"message", json::fixUTF8(message)}}) << '\n';
  // One write, so that the lines of several modules stay whole; a launcher that has gone is no reason to fail.
  [[maybe_unused]] ssize_t written = ::write(descriptor, line.data(), line.size());
}

} // namespace cc_agent
