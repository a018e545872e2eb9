// One chain of floating-point additions, which may not be reordered: their latency.
#include "kernel.h"

enum { N = FIT(double, 1) };
double x[N], result;

void kernel(void) {
  double sum = 0;
  for (int i = 0; i < N; i++)
    sum += x[i];
  result = sum;
}
