// y += a * x in the first-level cache: loads, multiply-adds and stores.
#include "kernel.h"

enum { N = FIT(float, 2) };
float x[N], y[N], a = 0.5f;

void kernel(void) {
  for (int i = 0; i < N; i++)
    y[i] += a * x[i];
}
