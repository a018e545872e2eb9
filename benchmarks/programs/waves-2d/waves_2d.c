// Electromagnetic waves in two dimensions, finite differences in time: three fields on staggered grids, and a source.
#include "../program.h"

struct grid {
  int nx, ny;
  double *ex, *ey, *hz;
};

static void advance(struct grid *g, double source) {
  int nx = g->nx, ny = g->ny;
  for (int j = 0; j < ny; j++)
    g->ey[j] = source;
  for (int i = 1; i < nx; i++)
    for (int j = 0; j < ny; j++)
      g->ey[i * ny + j] -= 0.5 * (g->hz[i * ny + j] - g->hz[(i - 1) * ny + j]);
  for (int i = 0; i < nx; i++)
    for (int j = 1; j < ny; j++)
      g->ex[i * ny + j] -= 0.5 * (g->hz[i * ny + j] - g->hz[i * ny + j - 1]);
  for (int i = 0; i < nx - 1; i++)
    for (int j = 0; j < ny - 1; j++)
      g->hz[i * ny + j] -= 0.7 * (g->ex[i * ny + j + 1] - g->ex[i * ny + j] + g->ey[(i + 1) * ny + j] - g->ey[i * ny + j]);
}

int main(int argc, char **argv) {
  int n = argument(argc, argv, 1), steps = argument(argc, argv, 2);
  struct grid g = {.nx = n + 1, .ny = n + 2};
  size_t size = (size_t)g.nx * g.ny;
  g.ex = allocate_doubles(size);
  g.ey = allocate_doubles(size);
  g.hz = allocate_doubles(size);
  fill_random(g.hz, size, 1);
  for (int t = 0; t < steps; t++)
    advance(&g, (double)(t % 16) / 16);
  print_values("ex", g.ex, size);
  print_values("ey", g.ey, size);
  print_values("hz", g.hz, size);
  free(g.ex);
  free(g.ey);
  free(g.hz);
}
