// The upper half of 128-bit products.
#include "kernel.h"

unsigned long x[N / 2], y[N / 2];

void kernel(void) {
  for (int i = 0; i < N / 2; i++)
    y[i] = (unsigned __int128)x[i] * 0x9e3779b97f4a7c15ul >> 64;
}
