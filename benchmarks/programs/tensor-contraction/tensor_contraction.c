// T[r][q][p] = sum over s of T[r][q][s] M[s][p], in place by way of one row: what multiresolution chemistry codes do.
#include "../program.h"

static void contract(int nr, int nq, int np, double tensor[nr][nq][np], double matrix[np][np], double *row) {
  for (int r = 0; r < nr; r++)
    for (int q = 0; q < nq; q++) {
      for (int p = 0; p < np; p++) {
        row[p] = 0;
        for (int s = 0; s < np; s++)
          row[p] += tensor[r][q][s] * matrix[s][p];
      }
      for (int p = 0; p < np; p++)
        tensor[r][q][p] = row[p];
    }
}

int main(int argc, char **argv) {
  int np = argument(argc, argv, 1), nr = np / 2 + 1, nq = np / 3 + 1;
  size_t size = (size_t)nr * nq * np;
  double *tensor = allocate_doubles(size), *matrix = allocate_doubles((size_t)np * np), *row = allocate_doubles(np);
  fill_random(tensor, size, 1);
  fill_random(matrix, (size_t)np * np, 2);
  contract(nr, nq, np, (double(*)[nq][np])tensor, (double(*)[np])matrix, row);
  print_values("tensor", tensor, size);
  free(tensor);
  free(matrix);
  free(row);
}
