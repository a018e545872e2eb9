// Floating-point division, independent: the vector divider's throughput.
#include "kernel.h"

enum { N = FIT(float, 3) };
float x[N], y[N], z[N];

void setup(void) {
  for (int i = 0; i < N; i++)
    x[i] = i, y[i] = i + 1;
}

void kernel(void) {
  for (int i = 0; i < N; i++)
    z[i] = x[i] / y[i];
}
