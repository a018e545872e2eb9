// What the kernels share. Each defines kernel(), whose innermost loop is what is estimated and timed, and may define setup().
#pragma once

enum { N = 2048 }; // elements: a few arrays of them fit into the first-level cache

void kernel(void);
void setup(void);
void fill_random(void *place, unsigned long size); // the same bytes each time
