// A sparse matrix in compressed rows.
#ifndef MATRIX_H
#define MATRIX_H

struct sparse {
  int n;
  int *start;  // of row i: start[i] to start[i + 1]
  int *column; // of each value
  double *value;
};

// Symmetric, with a heavy diagonal: a five-point grid and, here and there, far connections.
struct sparse make_matrix(int side);
void free_matrix(struct sparse *matrix);
void multiply(const struct sparse *matrix, const double *x, double *product);

#endif
