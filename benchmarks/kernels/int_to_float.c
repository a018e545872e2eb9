// Conversions of integers to floating point.
#include "kernel.h"

enum { N = FIT(int, 2) };
int x[N];
float y[N];

void kernel(void) {
  for (int i = 0; i < N; i++)
    y[i] = x[i];
}
