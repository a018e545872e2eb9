// The upper half of 128-bit products.
#include "kernel.h"

enum { N = FIT(long, 2) };
unsigned long x[N], y[N];

void kernel(void) {
  for (int i = 0; i < N; i++)
    y[i] = (unsigned __int128)x[i] * 0x9e3779b97f4a7c15ul >> 64;
}
