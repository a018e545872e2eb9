// Integer division, independent: the divider's throughput.
#include "kernel.h"

enum { N = FIT(int, 3) };
unsigned x[N], y[N], z[N];

void setup(void) {
  fill_random(x, sizeof x);
  for (int i = 0; i < N; i++)
    y[i] = 3 + i % 1000;
}

void kernel(void) {
  for (int i = 0; i < N; i++)
    z[i] = x[i] / y[i];
}
