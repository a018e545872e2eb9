// Compiling: with the plugin, without it when that fails, and again after a plan was found.
#pragma once

#include "arguments.h"
#include "locate.h"
#include "settings.h"

#include <string>
#include <vector>

namespace cc_agent {

// Runs what `line` asks for and ends this process as clang would have. `original`: the words as they were given, with
// the program's name.
[[noreturn]] void run(const CommandLine &line, const Installation &installation, const Settings &settings,
                      const std::vector<std::string> &original);

} // namespace cc_agent
