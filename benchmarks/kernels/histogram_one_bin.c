// The same counter each time: the latency of a store that is loaded again.
#include "kernel.h"

enum { N = FIT(char, 2) };
unsigned char x[N];
unsigned counts[256];

void kernel(void) {
  for (int i = 0; i < N; i++)
    counts[x[i]]++;
}
