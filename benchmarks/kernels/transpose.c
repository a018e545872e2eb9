// A transposed copy: strided stores.
#include "kernel.h"

enum { SIDE = 48 };
int a[SIDE][SIDE], b[SIDE][SIDE];

void kernel(void) {
  for (int i = 0; i < SIDE; i++)
    for (int j = 0; j < SIDE; j++)
      b[j][i] = a[i][j];
}
