// Where the largest integer is: two selections that depend on one comparison.
#include "kernel.h"

enum { N = FIT(int, 1) };
int x[N], result;

void setup(void) { fill_random(x, sizeof x); }

void kernel(void) {
  int best = 0, most = x[0];
  for (int i = 1; i < N; i++)
    if (x[i] > most) {
      most = x[i];
      best = i;
    }
  result = best;
}
