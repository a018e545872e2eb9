// What the file system says about a call's sources and output.
#pragma once

#include "arguments.h"

namespace cc_agent {

// Why the sources cannot be compiled a second time with the same result; empty when they can.
std::string unrepeatable(const CommandLine &line);

// Whether this is a build system asking whether something compiles: not worth a search, and never compiled again.
bool is_probe(const CommandLine &line);

// Whether the output can be written again: it is a file, and not where somebody has read it already.
bool is_rewritable(const std::string &output);

} // namespace cc_agent
