// a = b + s * c in the first-level cache: two loads for each store.
#include "kernel.h"

double a[N / 2], b[N / 2], c[N / 2], s = 3;

void kernel(void) {
  for (int i = 0; i < N / 2; i++)
    a[i] = b[i] + s * c[i];
}
