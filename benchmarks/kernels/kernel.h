// What the kernels share. Each defines kernel(), whose innermost loop is what is estimated and timed, and may define setup().
#pragma once

// Elements of each of so many arrays that together fill three quarters of a first-level cache of 32 KiB.
#define FIT(type, n_arrays) (24576 / (int)sizeof(type) / (n_arrays))

void kernel(void);
void setup(void);
void fill_random(void *place, unsigned long size); // the same bytes each time
