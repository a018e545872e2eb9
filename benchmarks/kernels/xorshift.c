// A generator of shifts and exclusive ors: a chain of short operations.
#include "kernel.h"

enum { N = 4096 };
unsigned long state = 88172645463325252ul;

void kernel(void) {
  unsigned long v = state;
  for (int i = 0; i < N; i++) {
    v ^= v << 13;
    v ^= v >> 7;
    v ^= v << 17;
  }
  state = v;
}
