// Heat in a cube: a seven-point stencil in single precision, indexed by hand as simulation codes do.
#include "../program.h"

#define AT(x, y, z) ((((size_t)(z)) * ny + (y)) * nx + (x))

static void step(const float *restrict from, float *restrict to, int nx, int ny, int nz, float rate) {
  for (int z = 1; z < nz - 1; z++)
    for (int y = 1; y < ny - 1; y++)
      for (int x = 1; x < nx - 1; x++) {
        float centre = from[AT(x, y, z)];
        float around = from[AT(x - 1, y, z)] + from[AT(x + 1, y, z)] + from[AT(x, y - 1, z)] + from[AT(x, y + 1, z)] +
                       from[AT(x, y, z - 1)] + from[AT(x, y, z + 1)];
        to[AT(x, y, z)] = centre + rate * (around - 6.0f * centre);
      }
}

int main(int argc, char **argv) {
  int n = argument(argc, argv, 1), steps = argument(argc, argv, 2), nx = n + 2, ny = n + 4, nz = n / 2 + 3;
  size_t size = (size_t)nx * ny * nz;
  float *cube = (float *)allocate(size, sizeof *cube), *next = (float *)allocate(size, sizeof *next);
  uint64_t seed = 1;
  for (size_t i = 0; i < size; i++)
    next[i] = cube[i] = (float)random_unit(&seed);
  for (int t = 0; t < steps; t++) {
    step(cube, next, nx, ny, nz, 0.1f);
    step(next, cube, nx, ny, nz, 0.1f);
  }
  printf("cube %016" PRIx64 " centre %.9g\n", mix_bytes(0, cube, size * sizeof *cube),
         (double)cube[AT(nx / 2, ny / 2, nz / 2)]);
  free(cube);
  free(next);
}
