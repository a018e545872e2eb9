// The same branch, always taken the same way.
#include "kernel.h"

enum { N = FIT(int, 2) };
int x[N], y[N];
volatile int sink;

void kernel(void) {
  for (int i = 0; i < N; i++)
    if (x[i] & 1)
      sink = i;
    else
      y[i] = x[i] * 5;
}
