// Four chains of floating-point additions: latency, a part of it hidden.
#include "kernel.h"

enum { N = FIT(double, 1) };
double x[N], result;

void kernel(void) {
  double a = 0, b = 0, c = 0, d = 0;
  for (int i = 0; i < N; i += 4) {
    a += x[i];
    b += x[i + 1];
    c += x[i + 2];
    d += x[i + 3];
  }
  result = a + b + c + d;
}
