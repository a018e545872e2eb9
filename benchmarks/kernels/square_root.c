// Square roots, independent.
#include "kernel.h"

enum { N = FIT(double, 2) };
double x[N], y[N];

void setup(void) {
  for (int i = 0; i < N; i++)
    x[i] = i;
}

void kernel(void) {
  for (int i = 0; i < N; i++)
    y[i] = __builtin_elementwise_sqrt(x[i]);
}
