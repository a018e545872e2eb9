// Bits in reverse order: shifts and masks.
#include "kernel.h"

enum { N = FIT(int, 2) };
unsigned x[N], y[N];

void kernel(void) {
  for (int i = 0; i < N; i++) {
    unsigned v = x[i];
    v = (v >> 1 & 0x55555555) | (v & 0x55555555) << 1;
    v = (v >> 2 & 0x33333333) | (v & 0x33333333) << 2;
    v = (v >> 4 & 0x0f0f0f0f) | (v & 0x0f0f0f0f) << 4;
    y[i] = __builtin_bswap32(v);
  }
}
