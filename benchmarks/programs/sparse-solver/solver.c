// Conjugate gradients on a sparse matrix in compressed rows.
#include "../program.h"
#include "matrix.h"

static double dot(const double *a, const double *b, int n) {
  double sum = 0;
  for (int i = 0; i < n; i++)
    sum += a[i] * b[i];
  return sum;
}

static void add_multiple(double *to, double factor, const double *from, int n) {
  for (int i = 0; i < n; i++)
    to[i] += factor * from[i];
}

static double solve(const struct sparse *a, const double *b, double *x, int n_steps) {
  int n = a->n;
  double *residual = allocate_doubles(n), *direction = allocate_doubles(n), *image = allocate_doubles(n);
  memcpy(residual, b, n * sizeof *b);
  memcpy(direction, b, n * sizeof *b);
  double square = dot(residual, residual, n);
  for (int step = 0; step < n_steps && square > 1e-24; step++) {
    multiply(a, direction, image);
    double length = square / dot(direction, image, n);
    add_multiple(x, length, direction, n);
    add_multiple(residual, -length, image, n);
    double next = dot(residual, residual, n), ratio = next / square;
    for (int i = 0; i < n; i++)
      direction[i] = residual[i] + ratio * direction[i];
    square = next;
  }
  free(residual);
  free(direction);
  free(image);
  return square;
}

int main(int argc, char **argv) {
  struct sparse a = make_matrix(argument(argc, argv, 1));
  double *b = allocate_doubles(a.n), *x = allocate_doubles(a.n);
  fill_random(b, a.n, 1);
  double square = solve(&a, b, x, argument(argc, argv, 2));
  print_values("x", x, a.n);
  printf("residual %.17g\n", square);
  free(b);
  free(x);
  free_matrix(&a);
}
