// What the launcher knows about a command line, as JSON: for --cc-agent-describe and for records of compilations.
#pragma once

#include "arguments.h"
#include "locate.h"

#include <string>
#include <vector>

namespace cc_agent {

// The command that compiles one source alone, with the caller's flags, to an object on standard output.
std::vector<std::string> tune_command(const CommandLine &line, const Source &source, const std::string &clang);

std::string describe(const CommandLine &line, const Installation &installation);

// One line of the format "cc-agent-record", version 1. `key`: what the plugin called the module; empty: not known.
// `original`: the whole command line as it was given, with the program's name.
std::string record_line(const CommandLine &line, const Source &source, const Installation &installation,
                        const std::string &key, const std::vector<std::string> &original);

} // namespace cc_agent
