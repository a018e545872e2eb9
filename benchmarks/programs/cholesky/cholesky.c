// Cholesky factorization of a positive definite matrix, held as an array of pointers to rows.
#include "../program.h"
#include <math.h>

static void cholesky(double **a, int n) {
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < i; j++) {
      for (int k = 0; k < j; k++)
        a[i][j] -= a[i][k] * a[j][k];
      a[i][j] /= a[j][j];
    }
    for (int k = 0; k < i; k++)
      a[i][i] -= a[i][k] * a[i][k];
    a[i][i] = sqrt(a[i][i]);
  }
}

int main(int argc, char **argv) {
  int n = argument(argc, argv, 1);
  double *values = allocate_doubles((size_t)n * n), **rows = (double **)allocate(n, sizeof *rows);
  fill_random(values, (size_t)n * n, 1);
  for (int i = 0; i < n; i++) {
    rows[i] = values + (size_t)i * n;
    rows[i][i] += n;
    for (int j = 0; j < i; j++)
      rows[j][i] = rows[i][j];
  }
  cholesky(rows, n);
  print_values("factor", values, (size_t)n * n);
  double diagonal = 1;
  for (int i = 0; i < n; i++)
    diagonal = diagonal * 0.5 + rows[i][i];
  printf("diagonal %.17g\n", diagonal);
  free(values);
  free(rows);
}
