// Stores and nothing else.
#include "kernel.h"

enum { N = FIT(int, 1) };
int x[N];

void kernel(void) {
  for (int i = 0; i < N; i++)
    x[i] = 3 * i;
}
