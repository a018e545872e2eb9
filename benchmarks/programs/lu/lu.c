// LU factorization in place without pivoting, of a matrix with a heavy diagonal, and the solution of one system with it.
#include "../program.h"

static void factorize(int n, double a[n][n]) {
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < i; j++) {
      for (int k = 0; k < j; k++)
        a[i][j] -= a[i][k] * a[k][j];
      a[i][j] /= a[j][j];
    }
    for (int j = i; j < n; j++)
      for (int k = 0; k < i; k++)
        a[i][j] -= a[i][k] * a[k][j];
  }
}

static void solve(int n, double lu[n][n], const double *b, double *x) {
  for (int i = 0; i < n; i++) {
    x[i] = b[i];
    for (int j = 0; j < i; j++)
      x[i] -= lu[i][j] * x[j];
  }
  for (int i = n - 1; i >= 0; i--) {
    for (int j = i + 1; j < n; j++)
      x[i] -= lu[i][j] * x[j];
    x[i] /= lu[i][i];
  }
}

int main(int argc, char **argv) {
  int n = argument(argc, argv, 1);
  double *a = allocate_doubles((size_t)n * n), *b = allocate_doubles(n), *x = allocate_doubles(n);
  fill_random(a, (size_t)n * n, 1);
  fill_random(b, n, 2);
  for (int i = 0; i < n; i++)
    a[(size_t)i * n + i] += n;
  factorize(n, (double(*)[n])a);
  solve(n, (double(*)[n])a, b, x);
  print_values("lu", a, (size_t)n * n);
  print_values("x", x, n);
  free(a);
  free(b);
  free(x);
}
