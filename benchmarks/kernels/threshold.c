// A choice between two values for each element: blends.
#include "kernel.h"

enum { N = FIT(float, 2) };
float x[N], y[N];

void kernel(void) {
  for (int i = 0; i < N; i++)
    y[i] = x[i] > 0.5f ? x[i] * 2 : 0.25f;
}
