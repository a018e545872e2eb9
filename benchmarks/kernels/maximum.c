// The largest of integers: vector maxima.
#include "kernel.h"

enum { N = FIT(int, 1) };
int x[N], result;

void setup(void) { fill_random(x, sizeof x); }

void kernel(void) {
  int most = x[0];
  for (int i = 1; i < N; i++)
    most = x[i] > most ? x[i] : most;
  result = most;
}
