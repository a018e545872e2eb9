#pragma once

#include <chrono>

namespace cct {

// Seconds, from some point in the past on.
inline double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

} // namespace cct
