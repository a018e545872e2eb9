#include "multiply.h"

// By inner products: the second matrix is walked down its columns.
void multiply(const double *a, const double *b, double *product, int rows, int inner, int columns) {
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++) {
      double sum = 0;
      for (int k = 0; k < inner; k++)
        sum += a[i * inner + k] * b[k * columns + j];
      product[i * columns + j] = sum;
    }
}
