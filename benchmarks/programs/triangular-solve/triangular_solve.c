// L X = B for many right-hand sides, then L' Y = X: substitution forwards and backwards on whole rows.
#include "../program.h"

static void forward(int n, int m, const double *restrict l, double *restrict x) {
  for (int i = 0; i < n; i++) {
    for (int k = 0; k < i; k++)
      for (int j = 0; j < m; j++)
        x[i * m + j] -= l[i * n + k] * x[k * m + j];
    for (int j = 0; j < m; j++)
      x[i * m + j] /= l[i * n + i];
  }
}

// One right-hand side after the other, so that the innermost loop goes down columns.
static void backward(int n, int m, const double *restrict l, double *restrict x) {
  for (int j = 0; j < m; j++)
    for (int i = n - 1; i >= 0; i--) {
      double sum = x[i * m + j];
      for (int k = i + 1; k < n; k++)
        sum -= l[k * n + i] * x[k * m + j];
      x[i * m + j] = sum / l[i * n + i];
    }
}

int main(int argc, char **argv) {
  int n = argument(argc, argv, 1), m = n / 2 + 3;
  double *l = allocate_doubles((size_t)n * n), *x = allocate_doubles((size_t)n * m);
  fill_random(l, (size_t)n * n, 1);
  fill_random(x, (size_t)n * m, 2);
  for (int i = 0; i < n; i++)
    l[(size_t)i * n + i] += n;
  forward(n, m, l, x);
  print_values("forward", x, (size_t)n * m);
  backward(n, m, l, x);
  print_values("backward", x, (size_t)n * m);
  free(l);
  free(x);
}
