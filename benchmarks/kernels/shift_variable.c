// Shifts by amounts that vary.
#include "kernel.h"

enum { N = FIT(int, 3) };
unsigned x[N], by[N], y[N];

void kernel(void) {
  for (int i = 0; i < N; i++)
    y[i] = x[i] << (by[i] & 31);
}
