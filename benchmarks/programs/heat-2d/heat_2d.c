// Gauss-Seidel and Jacobi on a square plate: the one stencil can be vectorized, the other carries a dependence.
#include "../program.h"

static void jacobi(int n, double from[n][n], double to[n][n]) {
  for (int i = 1; i < n - 1; i++)
    for (int j = 1; j < n - 1; j++)
      to[i][j] = 0.2 * (from[i][j] + from[i][j - 1] + from[i][j + 1] + from[i + 1][j] + from[i - 1][j]);
}

static double gauss_seidel(int n, double plate[n][n]) {
  double change = 0;
  for (int i = 1; i < n - 1; i++)
    for (int j = 1; j < n - 1; j++) {
      double old = plate[i][j];
      plate[i][j] = 0.25 * (plate[i - 1][j] + plate[i + 1][j] + plate[i][j - 1] + plate[i][j + 1]);
      change += (plate[i][j] - old) * (plate[i][j] - old);
    }
  return change;
}

int main(int argc, char **argv) {
  int n = argument(argc, argv, 1) + 2, steps = argument(argc, argv, 2);
  size_t size = (size_t)n * n;
  double *plate = allocate_doubles(size), *other = allocate_doubles(size), change = 0;
  fill_random(plate, size, 1);
  memcpy(other, plate, size * sizeof *plate);
  for (int t = 0; t < steps; t++) {
    for (int half = 0; half < 4; half++) {
      jacobi(n, (double(*)[n])plate, (double(*)[n])other);
      jacobi(n, (double(*)[n])other, (double(*)[n])plate);
    }
    change = gauss_seidel(n, (double(*)[n])plate);
  }
  print_values("plate", plate, size);
  printf("last change %.17g\n", change);
  free(plate);
  free(other);
}
