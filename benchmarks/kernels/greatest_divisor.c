// Euclid's algorithm: a chain of remainders, and a branch that is hard to foresee.
#include "kernel.h"

enum { N = FIT(int, 8) };
unsigned x[N], result;

void setup(void) { fill_random(x, sizeof x); }

void kernel(void) {
  unsigned sum = 0;
  for (int i = 0; i + 1 < N; i += 2) {
    unsigned a = x[i], b = x[i + 1];
    while (b) {
      unsigned rest = a % b;
      a = b;
      b = rest;
    }
    sum += a;
  }
  result = sum;
}
