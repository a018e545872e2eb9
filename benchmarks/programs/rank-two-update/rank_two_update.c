// A += u1 v1' + u2 v2';  x += beta A' y + z;  w += alpha A x: four passes over one matrix, two of them against its rows.
#include "../program.h"

struct vectors {
  double *u1, *v1, *u2, *v2, *w, *x, *y, *z;
};

static void update(int n, double alpha, double beta, double a[n][n], struct vectors v) {
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++)
      a[i][j] += v.u1[i] * v.v1[j] + v.u2[i] * v.v2[j];
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++)
      v.x[i] += beta * a[j][i] * v.y[j];
  for (int i = 0; i < n; i++)
    v.x[i] += v.z[i];
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++)
      v.w[i] += alpha * a[i][j] * v.x[j];
}

int main(int argc, char **argv) {
  int n = argument(argc, argv, 1), rounds = argument(argc, argv, 2);
  double *a = allocate_doubles((size_t)n * n), *all = allocate_doubles((size_t)n * 8);
  fill_random(a, (size_t)n * n, 1);
  fill_random(all, (size_t)n * 8, 2);
  struct vectors v = {all,         all + n,     all + 2 * n, all + 3 * n,
                      all + 4 * n, all + 5 * n, all + 6 * n, all + 7 * n};
  for (int round = 0; round < rounds; round++) {
    update(n, 0.5 / n, 0.25 / n, (double(*)[n])a, v);
    for (int i = 0; i < n; i++)
      v.x[i] *= 0.5; // it must not grow without end
  }
  print_values("a", a, (size_t)n * n);
  print_values("w", v.w, n);
  free(a);
  free(all);
}
