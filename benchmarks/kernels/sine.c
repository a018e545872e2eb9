// A call of the C library for each element: a model of the loop does not see inside.
#include "kernel.h"
#include <math.h>

enum { N = FIT(float, 2) };
float x[N], y[N];

void kernel(void) {
  for (int i = 0; i < N; i++)
    y[i] = sinf(x[i]);
}
