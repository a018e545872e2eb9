// Bits that are set.
#include "kernel.h"

enum { N = FIT(long, 1) };
unsigned long x[N], result;

void kernel(void) {
  unsigned long count = 0;
  for (int i = 0; i < N; i++)
    count += (unsigned long)__builtin_popcountl(x[i]);
  result = count;
}
