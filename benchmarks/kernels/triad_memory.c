// a = b + s * c in memory: bandwidth, of which a model of the core knows nothing.
#include "kernel.h"

enum { BIG = 1 << 20 };
double a[BIG], b[BIG], c[BIG], s = 3;

void kernel(void) {
  for (int i = 0; i < BIG; i++)
    a[i] = b[i] + s * c[i];
}
