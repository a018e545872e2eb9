// -O3 -march=haswell
// A five-point stencil with two grids that change places, and its in-place relative.
enum { SIZE = 512 };

static double grids[2][SIZE][SIZE];

void relax(int steps) {
  for (int step = 0; step < steps; step++) {
    double(*from)[SIZE] = grids[step & 1], (*to)[SIZE] = grids[(step + 1) & 1];
    for (int row = 1; row < SIZE - 1; row++)
      for (int column = 1; column < SIZE - 1; column++)
        to[row][column] = 0.2 * (from[row][column] + from[row - 1][column] + from[row + 1][column] +
                                 from[row][column - 1] + from[row][column + 1]);
  }
}

double relax_in_place(double (*grid)[SIZE], double factor) {
  double change = 0.0;
  for (int row = 1; row < SIZE - 1; row++)
    for (int column = 1; column < SIZE - 1; column++) {
      double before = grid[row][column];
      double mean = 0.25 * (grid[row - 1][column] + grid[row + 1][column] + grid[row][column - 1] + grid[row][column + 1]);
      grid[row][column] = before + factor * (mean - before);
      change += (mean - before) * (mean - before);
    }
  return change;
}
