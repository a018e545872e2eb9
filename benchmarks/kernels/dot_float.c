// A dot product in order: one chain of multiply-adds.
#include "kernel.h"

enum { N = FIT(float, 2) };
float x[N], y[N], result;

void kernel(void) {
  float sum = 0;
  for (int i = 0; i < N; i++)
    sum += x[i] * y[i];
  result = sum;
}
