// Covariance of the columns of a table of observations; the means are taken off first.
#include "../program.h"

static void covariance(int n_variables, int n_observations, double data[n_observations][n_variables],
                       double result[n_variables][n_variables], double *mean) {
  for (int j = 0; j < n_variables; j++) {
    mean[j] = 0;
    for (int i = 0; i < n_observations; i++)
      mean[j] += data[i][j];
    mean[j] /= n_observations;
  }
  for (int i = 0; i < n_observations; i++)
    for (int j = 0; j < n_variables; j++)
      data[i][j] -= mean[j];
  for (int i = 0; i < n_variables; i++)
    for (int j = i; j < n_variables; j++) {
      result[i][j] = 0;
      for (int k = 0; k < n_observations; k++)
        result[i][j] += data[k][i] * data[k][j];
      result[i][j] /= n_observations - 1.0;
      result[j][i] = result[i][j];
    }
}

int main(int argc, char **argv) {
  int n = argument(argc, argv, 1), observations = n + n / 3 + 2;
  double *data = allocate_doubles((size_t)n * observations), *mean = allocate_doubles(n);
  double *result = allocate_doubles((size_t)n * n);
  fill_random(data, (size_t)n * observations, 1);
  covariance(n, observations, (double(*)[n])data, (double(*)[n])result, mean);
  print_values("mean", mean, n);
  print_values("covariance", result, (size_t)n * n);
  free(data);
  free(mean);
  free(result);
}
