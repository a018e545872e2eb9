// Heat along a rod: a three-point stencil between two arrays that change roles.
#include "../program.h"

static void step(const double *from, double *to, int n) {
  for (int i = 1; i < n - 1; i++)
    to[i] = from[i] + 0.25 * (from[i - 1] - 2.0 * from[i] + from[i + 1]);
}

int main(int argc, char **argv) {
  int n = argument(argc, argv, 1), steps = argument(argc, argv, 2);
  double *rod = allocate_doubles((size_t)n + 2), *next = allocate_doubles((size_t)n + 2);
  fill_random(rod, (size_t)n + 2, 1);
  memcpy(next, rod, ((size_t)n + 2) * sizeof *rod); // the ends stay as they are
  for (int t = 0; t < steps; t++) {
    step(rod, next, n + 2);
    double *swapped = rod;
    rod = next;
    next = swapped;
  }
  print_values("rod", rod, (size_t)n + 2);
  free(rod);
  free(next);
}
