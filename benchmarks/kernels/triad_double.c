// a = b + s * c in the first-level cache: two loads for each store.
#include "kernel.h"

enum { N = FIT(double, 3) };
double a[N], b[N], c[N], s = 3;

void kernel(void) {
  for (int i = 0; i < N; i++)
    a[i] = b[i] + s * c[i];
}
