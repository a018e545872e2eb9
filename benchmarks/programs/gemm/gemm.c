// C = alpha A B + beta C, on matrices of doubles in rows, as the textbook says it.
#include "../program.h"

static void gemm(int n, int m, int k, double alpha, double beta, double c[n][m], double a[n][k], double b[k][m]) {
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < m; j++)
      c[i][j] *= beta;
    for (int p = 0; p < k; p++)
      for (int j = 0; j < m; j++)
        c[i][j] += alpha * a[i][p] * b[p][j];
  }
}

int main(int argc, char **argv) {
  int n = argument(argc, argv, 1), m = n + 7, k = n - n / 8;
  double *a = allocate_doubles((size_t)n * k), *b = allocate_doubles((size_t)k * m);
  double *c = allocate_doubles((size_t)n * m);
  fill_random(a, (size_t)n * k, 1);
  fill_random(b, (size_t)k * m, 2);
  fill_random(c, (size_t)n * m, 3);
  gemm(n, m, k, 1.5, 0.75, (double(*)[m])c, (double(*)[k])a, (double(*)[m])b);
  print_values("c", c, (size_t)n * m);
  free(a);
  free(b);
  free(c);
}
