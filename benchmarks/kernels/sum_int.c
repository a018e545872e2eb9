// A sum of integers, which may be reordered: vector additions and loads.
#include "kernel.h"

enum { N = FIT(int, 1) };
int x[N], result;

void kernel(void) {
  int sum = 0;
  for (int i = 0; i < N; i++)
    sum += x[i];
  result = sum;
}
