// A matrix product whose inner loop goes along rows.
#include "kernel.h"

enum { SIDE = 64 };
float a[SIDE][SIDE], b[SIDE][SIDE], c[SIDE][SIDE];

void kernel(void) {
  for (int i = 0; i < SIDE; i++)
    for (int k = 0; k < SIDE; k++)
      for (int j = 0; j < SIDE; j++)
        c[i][j] += a[i][k] * b[k][j];
}
