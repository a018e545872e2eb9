// A filter of eight taps: many multiply-adds for each store.
#include "kernel.h"

enum { N = FIT(float, 2) };
float x[N + 8], y[N], taps[8];

void kernel(void) {
  for (int i = 0; i < N; i++) {
    float sum = 0;
    for (int j = 0; j < 8; j++)
      sum += taps[j] * x[i + j];
    y[i] = sum;
  }
}
