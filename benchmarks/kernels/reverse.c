// A copy backwards: shuffles.
#include "kernel.h"

enum { N = FIT(int, 2) };
int x[N], y[N];

void kernel(void) {
  for (int i = 0; i < N; i++)
    y[i] = x[N - 1 - i];
}
