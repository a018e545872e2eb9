// A branch that nobody can foresee around a store: mispredictions, which a model of the core leaves out.
#include "kernel.h"

enum { N = FIT(int, 2) };
int x[N], y[N];
volatile int sink;

void setup(void) { fill_random(x, sizeof x); }

void kernel(void) {
  for (int i = 0; i < N; i++)
    if (x[i] & 1)
      sink = i;
    else
      y[i] = x[i] * 5;
}
