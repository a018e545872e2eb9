// Bits that are set.
#include "kernel.h"

unsigned long x[N / 2], result;

void kernel(void) {
  unsigned long count = 0;
  for (int i = 0; i < N / 2; i++)
    count += (unsigned long)__builtin_popcountl(x[i]);
  result = count;
}
