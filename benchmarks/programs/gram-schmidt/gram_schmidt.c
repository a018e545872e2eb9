// QR factorization by modified Gram-Schmidt: everything goes down columns of matrices that are stored in rows.
#include "../program.h"
#include <math.h>

static void gram_schmidt(int m, int n, double a[m][n], double r[n][n], double q[m][n]) {
  for (int k = 0; k < n; k++) {
    double norm = 0;
    for (int i = 0; i < m; i++)
      norm += a[i][k] * a[i][k];
    r[k][k] = sqrt(norm);
    for (int i = 0; i < m; i++)
      q[i][k] = a[i][k] / r[k][k];
    for (int j = k + 1; j < n; j++) {
      r[k][j] = 0;
      for (int i = 0; i < m; i++)
        r[k][j] += q[i][k] * a[i][j];
      for (int i = 0; i < m; i++)
        a[i][j] -= q[i][k] * r[k][j];
    }
  }
}

int main(int argc, char **argv) {
  int n = argument(argc, argv, 1), m = n + n / 2;
  double *a = allocate_doubles((size_t)m * n), *q = allocate_doubles((size_t)m * n);
  double *r = allocate_doubles((size_t)n * n);
  fill_random(a, (size_t)m * n, 1);
  gram_schmidt(m, n, (double(*)[n])a, (double(*)[n])r, (double(*)[n])q);
  print_values("q", q, (size_t)m * n);
  print_values("r", r, (size_t)n * n);
  free(a);
  free(q);
  free(r);
}
