// A matrix product whose inner loop goes down a column: strided loads and one chain.
#include "kernel.h"

enum { SIDE = 48 };
double a[SIDE][SIDE], b[SIDE][SIDE], c[SIDE][SIDE];

void kernel(void) {
  for (int i = 0; i < SIDE; i++)
    for (int j = 0; j < SIDE; j++) {
      double sum = 0;
      for (int k = 0; k < SIDE; k++)
        sum += a[i][k] * b[k][j];
      c[i][j] = sum;
    }
}
