// Each set bit of each word: a short inner loop with a branch that is hard to foresee.
#include "kernel.h"

enum { N = FIT(int, 8) };
unsigned x[N];
unsigned result;

void setup(void) { fill_random(x, sizeof x); }

void kernel(void) {
  unsigned sum = 0;
  for (int i = 0; i < N; i++)
    for (unsigned bits = x[i]; bits; bits &= bits - 1)
      sum += (unsigned)__builtin_ctz(bits);
  result = sum;
}
