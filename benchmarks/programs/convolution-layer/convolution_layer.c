// A convolution layer of a neural network on floats: channels x height x width, 3x3 kernels, bias and rectifier.
#include "../program.h"

enum { SIDE = 3 };

static void convolve(int n_out, int n_in, int height, int width, float output[n_out][height][width],
                     float input[n_in][height + SIDE - 1][width + SIDE - 1], float weights[n_out][n_in][SIDE][SIDE],
                     const float *bias) {
  for (int o = 0; o < n_out; o++)
    for (int y = 0; y < height; y++)
      for (int x = 0; x < width; x++) {
        float sum = bias[o];
        for (int i = 0; i < n_in; i++)
          for (int dy = 0; dy < SIDE; dy++)
            for (int dx = 0; dx < SIDE; dx++)
              sum += input[i][y + dy][x + dx] * weights[o][i][dy][dx];
        output[o][y][x] = sum > 0 ? sum : 0;
      }
}

static float *random_floats(size_t count, uint64_t seed) {
  float *values = (float *)allocate(count, sizeof *values);
  for (size_t i = 0; i < count; i++)
    values[i] = (float)(random_unit(&seed) - 0.5);
  return values;
}

int main(int argc, char **argv) {
  int size = argument(argc, argv, 1), n_in = argument(argc, argv, 2), n_out = n_in + n_in / 2;
  int padded = size + SIDE - 1;
  size_t n_outputs = (size_t)n_out * size * size;
  float *input = random_floats((size_t)n_in * padded * padded, 1);
  float *weights = random_floats((size_t)n_out * n_in * SIDE * SIDE, 2);
  float *bias = random_floats(n_out, 3), *output = (float *)allocate(n_outputs, sizeof *output);
  convolve(n_out, n_in, size, size, (float(*)[size][size])output, (float(*)[padded][padded])input,
           (float(*)[n_in][SIDE][SIDE])weights, bias);
  size_t n_active = 0;
  for (size_t i = 0; i < n_outputs; i++)
    n_active += output[i] > 0;
  printf("output %016" PRIx64 " active %zu last %.9g\n", mix_bytes(0, output, n_outputs * sizeof *output), n_active,
         (double)output[n_outputs - 1]);
  free(input);
  free(weights);
  free(bias);
  free(output);
}
