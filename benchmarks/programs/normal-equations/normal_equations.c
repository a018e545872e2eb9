// y = A' (A x), again and again, in single precision: memory is read by rows once and by columns once.
#include "../program.h"

static void apply(const float *a, int rows, int columns, const float *x, float *product) {
  for (int i = 0; i < rows; i++) {
    product[i] = 0;
    for (int j = 0; j < columns; j++)
      product[i] += a[i * columns + j] * x[j];
  }
}

static void apply_transposed(const float *a, int rows, int columns, const float *x, float *product) {
  for (int j = 0; j < columns; j++) {
    product[j] = 0;
    for (int i = 0; i < rows; i++)
      product[j] += a[i * columns + j] * x[i];
  }
}

int main(int argc, char **argv) {
  int columns = argument(argc, argv, 1), rows = columns + columns / 2, rounds = argument(argc, argv, 2);
  float *a = (float *)allocate((size_t)rows * columns, sizeof *a), *x = (float *)allocate(columns, sizeof *x);
  float *image = (float *)allocate(rows, sizeof *image);
  uint64_t seed = 1;
  for (int i = 0; i < rows * columns; i++)
    a[i] = (float)(random_unit(&seed) - 0.5);
  for (int j = 0; j < columns; j++)
    x[j] = 1.0f;
  for (int round = 0; round < rounds; round++) {
    apply(a, rows, columns, x, image);
    apply_transposed(a, rows, columns, image, x);
    // Kept at a size that floats can hold, however often this is repeated.
    float largest = 0;
    for (int j = 0; j < columns; j++)
      largest = x[j] > largest ? x[j] : -x[j] > largest ? -x[j] : largest;
    for (int j = 0; j < columns; j++)
      x[j] /= largest;
  }
  printf("x %016" PRIx64 " %.9g %.9g\n", mix_bytes(0, x, columns * sizeof *x), (double)x[0], (double)x[columns - 1]);
  free(a);
  free(x);
  free(image);
}
