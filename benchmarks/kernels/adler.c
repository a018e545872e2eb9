// Adler-32's two sums: one depends on the other.
#include "kernel.h"

enum { N = FIT(char, 1) };
unsigned char x[N];
unsigned result;

void kernel(void) {
  unsigned a = 1, b = 0;
  for (int i = 0; i < N; i++) {
    a += x[i];
    b += a;
  }
  result = b << 16 ^ a;
}
