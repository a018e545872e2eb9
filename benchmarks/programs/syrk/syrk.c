// C = alpha A A' + beta C, lower triangle only; A in rows, with a leading dimension as in BLAS.
#include "../program.h"

static void syrk_lower(int n, int k, double alpha, const double *a, int lda, double beta, double *c, int ldc) {
  for (int i = 0; i < n; i++) {
    for (int j = 0; j <= i; j++)
      c[i * ldc + j] *= beta;
    for (int p = 0; p < k; p++)
      for (int j = 0; j <= i; j++)
        c[i * ldc + j] += alpha * a[i * lda + p] * a[j * lda + p];
  }
}

int main(int argc, char **argv) {
  int n = argument(argc, argv, 1), k = n - n / 5, lda = k + 3, ldc = n + 1;
  double *a = allocate_doubles((size_t)n * lda), *c = allocate_doubles((size_t)n * ldc);
  fill_random(a, (size_t)n * lda, 1);
  fill_random(c, (size_t)n * ldc, 2);
  syrk_lower(n, k, 1.25, a, lda, 0.5, c, ldc);
  print_values("c", c, (size_t)n * ldc);
  free(a);
  free(c);
}
