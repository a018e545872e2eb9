// A generator whose output is stored: a chain of 64-bit multiplications.
#include "kernel.h"

enum { N = FIT(int, 1) };
unsigned long state = 1;
unsigned y[N];

void kernel(void) {
  unsigned long v = state;
  for (int i = 0; i < N; i++) {
    v = v * 6364136223846793005ul + 1442695040888963407ul;
    y[i] = v >> 33;
  }
  state = v;
}
