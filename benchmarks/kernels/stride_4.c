// Every fourth element.
#include "kernel.h"

enum { N = FIT(int, 1) };
int x[N], y[N / 4];

void kernel(void) {
  for (int i = 0; i < N / 4; i++)
    y[i] = x[4 * i] + 1;
}
