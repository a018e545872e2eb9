// A fixed number of rounds of z = z * z + c: two chains that cross.
#include "kernel.h"

enum { N = 4096 };
float result[2];

void kernel(void) {
  float x = 0, y = 0;
  for (int i = 0; i < N; i++) {
    float next = x * x - y * y + 0.1f;
    y = 2 * x * y + 0.2f;
    x = next;
  }
  result[0] = x;
  result[1] = y;
}
