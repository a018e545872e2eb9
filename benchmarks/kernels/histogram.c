// Counts of bytes: loads that depend on stores before them, through memory.
#include "kernel.h"

enum { N = FIT(char, 2) };
unsigned char x[N];
unsigned counts[256];

void setup(void) { fill_random(x, sizeof x); }

void kernel(void) {
  for (int i = 0; i < N; i++)
    counts[x[i]]++;
}
