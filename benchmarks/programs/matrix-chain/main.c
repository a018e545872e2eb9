// (A B) (C D) in two source files: the product is a function that its caller knows nothing of.
#include "../program.h"
#include "multiply.h"

int main(int argc, char **argv) {
  int n = argument(argc, argv, 1), wide = n + n / 4;
  size_t size = (size_t)n * wide;
  double *a = allocate_doubles(size), *b = allocate_doubles(size), *left = allocate_doubles((size_t)n * n);
  double *c = allocate_doubles(size), *d = allocate_doubles(size), *right = allocate_doubles((size_t)n * n);
  double *result = allocate_doubles((size_t)n * n);
  fill_random(a, size, 1);
  fill_random(b, size, 2);
  fill_random(c, size, 3);
  fill_random(d, size, 4);
  multiply(a, b, left, n, wide, n);
  multiply(c, d, right, n, wide, n);
  multiply(left, right, result, n, n, n);
  print_values("result", result, (size_t)n * n);
  free(a);
  free(b);
  free(c);
  free(d);
  free(left);
  free(right);
  free(result);
}
