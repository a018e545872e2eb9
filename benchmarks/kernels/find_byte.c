// A search that ends at the first match: one comparison and branch for each byte.
#include "kernel.h"

enum { N = FIT(char, 1) };
unsigned char x[N + 1];
int result;

void setup(void) { x[N] = 200; }

void kernel(void) {
  int i = 0;
  while (x[i] < 100)
    i++;
  result = i;
}
