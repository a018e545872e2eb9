#include "settings.h"

#include "locate.h"

#include <cstdio>
#include <cstdlib>

namespace cc_agent {
namespace {

bool is_set(const char *name) {
  std::string value = environment(name);
  return !value.empty() && value != "0";
}

// A number that is not one is told and changes nothing.
void read_number(const char *name, unsigned long &number) {
  std::string text = environment(name);
  if (text.empty())
    return;
  if (text.size() <= 9 && text.find_first_not_of("0123456789") == std::string::npos)
    number = std::strtoul(text.c_str(), nullptr, 10);
  else
    std::fprintf(stderr, "cc-agent: warning: %s=%s is not a whole number; using %lu\n", name, text.c_str(), number);
}

} // namespace

Settings read_settings() {
  Settings settings;
  settings.log = environment("CC_AGENT_LOG");
  settings.verbose = is_set("CC_AGENT_VERBOSE");
  settings.record = environment("CC_AGENT_RECORD");
  std::string cache = user_cache();
  if (settings.record.empty() && !cache.empty())
    settings.record = cache + "/record.jsonl";
  read_number("CC_AGENT_REPLAY_TIMEOUT", settings.replay_timeout_s);
  read_number("CC_AGENT_REPLAY_MEMORY", settings.replay_memory_mib);
  std::string mode = environment("CC_AGENT_MODE");
  if (is_set("CC_AGENT_DISABLE") || mode == "off") {
    settings.mode = Mode::Off;
  } else if (mode == "record") {
    settings.mode = Mode::Record;
  } else if (mode == "replay") {
    settings.mode = Mode::Replay;
  } else if (!mode.empty() && mode != "tune") {
    settings.mode = Mode::Replay;
    std::fprintf(stderr, "cc-agent: warning: CC_AGENT_MODE=%s is none of tune, replay, record, off; using replay\n",
                 mode.c_str());
  }
  return settings;
}

const char *name_of(Mode mode) {
  switch (mode) {
  case Mode::Tune:
    return "tune";
  case Mode::Replay:
    return "replay";
  case Mode::Record:
    return "record";
  case Mode::Off:
    break;
  }
  return "off";
}

} // namespace cc_agent
