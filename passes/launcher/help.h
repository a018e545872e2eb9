// What --cc-agent-help and --cc-agent-version print.
#pragma once

#include "locate.h"

namespace cc_agent {

int print_help();
int print_version(const Installation &installation);

} // namespace cc_agent
