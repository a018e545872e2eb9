// A finalizer of 64 bits on each word: shifts and multiplications, independent.
#include "kernel.h"

unsigned long x[N / 2], y[N / 2];

void kernel(void) {
  for (int i = 0; i < N / 2; i++) {
    unsigned long v = x[i];
    v = (v ^ v >> 33) * 0xff51afd7ed558ccdul;
    v = (v ^ v >> 33) * 0xc4ceb9fe1a85ec53ul;
    y[i] = v ^ v >> 33;
  }
}
