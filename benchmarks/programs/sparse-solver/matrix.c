#include "matrix.h"
#include "../program.h"

static void append(struct sparse *matrix, int *n_values, int column, double value) {
  matrix->column[*n_values] = column;
  matrix->value[*n_values] = value;
  ++*n_values;
}

struct sparse make_matrix(int side) {
  int n = side * side, n_values = 0;
  struct sparse matrix = {n, (int *)allocate((size_t)n + 1, sizeof(int)), (int *)allocate((size_t)n * 6, sizeof(int)),
                          allocate_doubles((size_t)n * 6)};
  for (int i = 0; i < n; i++) {
    int x = i % side, y = i / side, far = n - 1 - i;
    matrix.start[i] = n_values;
    if (y > 0)
      append(&matrix, &n_values, i - side, -1);
    if (x > 0)
      append(&matrix, &n_values, i - 1, -1);
    append(&matrix, &n_values, i, 4.5);
    if (x < side - 1)
      append(&matrix, &n_values, i + 1, -1);
    if (y < side - 1)
      append(&matrix, &n_values, i + side, -1);
    if ((i < far ? i : far) % 5 == 0 && far != i)
      append(&matrix, &n_values, far, -0.25);
  }
  matrix.start[n] = n_values;
  return matrix;
}

void free_matrix(struct sparse *matrix) {
  free(matrix->start);
  free(matrix->column);
  free(matrix->value);
}

void multiply(const struct sparse *matrix, const double *x, double *product) {
  for (int i = 0; i < matrix->n; i++) {
    double sum = 0;
    for (int k = matrix->start[i]; k < matrix->start[i + 1]; k++)
      sum += matrix->value[k] * x[matrix->column[k]];
    product[i] = sum;
  }
}
