// What the user set by environment variables.
#pragma once

#include <string>

namespace cc_agent {

enum class Mode { Tune, Replay, Record, Off };

struct Settings {
  Mode mode = Mode::Tune;
  std::string log;    // CC_AGENT_LOG; empty: no log.
  std::string record; // CC_AGENT_RECORD, or the file in the user's cache; empty: there is no place for one.
  bool verbose = false;
  // What a compilation may use from where a plan begins; 0: no limit. The search lets a plan use far less than this, so
  // only a plan that behaves differently here gets that far.
  unsigned long replay_timeout_s = 600;  // CC_AGENT_REPLAY_TIMEOUT, processor time.
  unsigned long replay_memory_mib = 4096; // CC_AGENT_REPLAY_MEMORY
};

// Tells on standard error when CC_AGENT_MODE is not one of the modes; that counts as replay.
Settings read_settings();

const char *name_of(Mode mode);

} // namespace cc_agent
