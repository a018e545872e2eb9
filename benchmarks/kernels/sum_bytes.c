// A sum of bytes in a wider type: widening.
#include "kernel.h"

enum { N = FIT(char, 1) };
unsigned char x[N];
unsigned result;

void kernel(void) {
  unsigned sum = 0;
  for (int i = 0; i < N; i++)
    sum += x[i];
  result = sum;
}
