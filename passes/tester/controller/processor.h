// The tester and the executables under test take turns: on one processor that is faster by a fifth to a half than on two, which wake
// each other up.
#pragma once

namespace cct {

// From now on this process, and those that it starts, run on one processor that no other tester has taken. Where all are taken, or it
// is not known how many there are, they run wherever the kernel likes.
void stayOnOneProcessor();

} // namespace cct
