// Conversions of floating point to narrower integers.
#include "kernel.h"

enum { N = FIT(double, 2) };
double x[N];
int y[N];

void kernel(void) {
  for (int i = 0; i < N; i++)
    y[i] = (int)x[i];
}
