// How many bytes are zero: comparisons of bytes and widening.
#include "kernel.h"

enum { N = FIT(char, 1) };
unsigned char x[N];
int result;

void setup(void) { fill_random(x, sizeof x); }

void kernel(void) {
  int count = 0;
  for (int i = 0; i < N; i++)
    count += x[i] == 0;
  result = count;
}
