// One polynomial of many terms: a chain of multiply-adds.
#include "kernel.h"

enum { N = FIT(double, 1) };
double x[N], v = 0.99, result;

void kernel(void) {
  double sum = 0;
  for (int i = 0; i < N; i++)
    sum = sum * v + x[i];
  result = sum;
}
