// Steps of 3n + 1: a choice in a chain.
#include "kernel.h"

unsigned result;

void kernel(void) {
  unsigned steps = 0;
  for (unsigned long n = 77031; n != 1; steps++)
    n = n & 1 ? 3 * n + 1 : n / 2;
  result = steps;
}
