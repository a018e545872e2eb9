// C = alpha A B + beta C with A symmetric, of which only the lower triangle is stored: each element is used twice.
#include "../program.h"

static void symmetric_multiply(int m, int n, double alpha, double beta, double c[m][n], double a[m][m],
                               double b[m][n]) {
  for (int i = 0; i < m; i++)
    for (int j = 0; j < n; j++) {
      double sum = 0;
      for (int k = 0; k < i; k++) {
        c[k][j] += alpha * b[i][j] * a[i][k];
        sum += b[k][j] * a[i][k];
      }
      c[i][j] = beta * c[i][j] + alpha * b[i][j] * a[i][i] + alpha * sum;
    }
}

int main(int argc, char **argv) {
  int m = argument(argc, argv, 1), n = m - m / 6;
  double *a = allocate_doubles((size_t)m * m), *b = allocate_doubles((size_t)m * n);
  double *c = allocate_doubles((size_t)m * n);
  fill_random(a, (size_t)m * m, 1);
  fill_random(b, (size_t)m * n, 2);
  fill_random(c, (size_t)m * n, 3);
  symmetric_multiply(m, n, 1.5, 1.25, (double(*)[n])c, (double(*)[m])a, (double(*)[n])b);
  print_values("c", c, (size_t)m * n);
  free(a);
  free(b);
  free(c);
}
