// The plugin's status lines, and the line that CC_AGENT_LOG gets for a compilation.
#pragma once

#include "arguments.h"
#include "settings.h"

#include <map>
#include <string>
#include <vector>

namespace cc_agent {

// One status line of the plugin: {"event": ..., "key": ..., "source": ..., "message": ...}.
using Event = std::map<std::string, std::string>;

// Lines that are not JSON objects are left out.
std::vector<Event> read_events(const std::string &text);

bool has_event(const std::vector<Event> &events, const char *name);

struct StartTime {
  StartTime();
  double since_epoch_s;
  double monotonic_s;
};

struct LogEntry {
  const CommandLine &line;
  const Settings &settings;
  const char *decision; // replayed, miss, plain, fallback, tuned, recorded or error.
  const std::string &reason;
  const std::string &lock;
  const std::vector<Event> &events;
  int exit_code;
  const StartTime &started;

  // JSON on one line. The times of all children so far are part of it, those of a search included.
  std::string text() const;
};

} // namespace cc_agent
