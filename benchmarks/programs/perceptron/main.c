// Trains a small neural network on a made-up rule, and then only applies it.
#include "../program.h"
#include "network.h"

enum { N_INPUTS = 64, N_OUTPUTS = 4 };

static void make_sample(uint64_t *seed, float *input, float *wanted) {
  for (int i = 0; i < N_INPUTS; i++)
    input[i] = (float)(random_unit(seed) - 0.5);
  for (int i = 0; i < N_OUTPUTS; i++) {
    float sum = 0;
    for (int j = i; j < N_INPUTS; j += N_OUTPUTS + i)
      sum += input[j];
    wanted[i] = sum > 0 ? 0.5f : -0.5f;
  }
}

int main(int argc, char **argv) {
  int n_samples = argument(argc, argv, 1), sizes[] = {N_INPUTS, 48, 32, N_OUTPUTS}, n_right = 0;
  struct network network = make_network(3, sizes);
  uint64_t seed = 1;
  float input[N_INPUTS], wanted[N_OUTPUTS];
  double error = 0;
  for (int i = 0; i < n_samples; i++) {
    make_sample(&seed, input, wanted);
    error = 0.99 * error + 0.01 * (double)train(&network, input, wanted, 0.05f);
  }
  for (int i = 0; i < n_samples; i++) {
    make_sample(&seed, input, wanted);
    const float *seen = forward(&network, input);
    for (int k = 0; k < N_OUTPUTS; k++)
      n_right += (seen[k] > 0) == (wanted[k] > 0);
  }
  printf("error %.17g right %d of %d weights %016" PRIx64 "\n", error, n_right, n_samples * N_OUTPUTS,
         mix_bytes(0, network.layers[0].weights, sizeof(float) * N_INPUTS * 48));
  free_network(&network);
}
