// A five-point stencil in two dimensions.
#include "kernel.h"

enum { SIDE = 64 };
float x[SIDE][SIDE], y[SIDE][SIDE];

void kernel(void) {
  for (int i = 1; i < SIDE - 1; i++)
    for (int j = 1; j < SIDE - 1; j++)
      y[i][j] = 0.2f * (x[i][j] + x[i - 1][j] + x[i + 1][j] + x[i][j - 1] + x[i][j + 1]);
}
