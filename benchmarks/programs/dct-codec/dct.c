#include "dct.h"

enum { SHIFT = 12 };

// Row k: cos((2 i + 1) k pi / 16) / 2, the first row by sqrt(1/8); times 2^12. Rounded by hand, not by a C library.
static const int waves[8] = {2048, 2009, 1892, 1703, 1448, 1138, 784, 400}; // cos(k pi / 16) / 2
static int cosines[8][8];

void make_cosines(void) {
  for (int k = 0; k < 8; k++)
    for (int i = 0; i < 8; i++) {
      int angle = (2 * i + 1) * k % 32, sign = 1;
      if (angle > 16)
        angle = 32 - angle;
      if (angle > 8) {
        angle = 16 - angle;
        sign = -1;
      }
      cosines[k][i] = k == 0 ? waves[4] : angle == 8 ? 0 : sign * waves[angle];
    }
}

static int rounded(int x) { return (x + (1 << (SHIFT - 1))) >> SHIFT; }

void forward_dct(const int *block, int *coefficients) {
  int rows[64];
  for (int y = 0; y < 8; y++)
    for (int k = 0; k < 8; k++) {
      int sum = 0;
      for (int x = 0; x < 8; x++)
        sum += block[8 * y + x] * cosines[k][x];
      rows[8 * y + k] = rounded(sum);
    }
  for (int k = 0; k < 8; k++)
    for (int l = 0; l < 8; l++) {
      int sum = 0;
      for (int y = 0; y < 8; y++)
        sum += rows[8 * y + k] * cosines[l][y];
      coefficients[8 * l + k] = rounded(sum);
    }
}

void inverse_dct(const int *coefficients, int *block) {
  int columns[64];
  for (int k = 0; k < 8; k++)
    for (int y = 0; y < 8; y++) {
      int sum = 0;
      for (int l = 0; l < 8; l++)
        sum += coefficients[8 * l + k] * cosines[l][y];
      columns[8 * y + k] = rounded(sum);
    }
  for (int y = 0; y < 8; y++)
    for (int x = 0; x < 8; x++) {
      int sum = 0;
      for (int k = 0; k < 8; k++)
        sum += columns[8 * y + k] * cosines[k][x];
      block[8 * y + x] = rounded(sum);
    }
}
