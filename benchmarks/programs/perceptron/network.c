#include "network.h"
#include "../program.h"

struct network make_network(int n_layers, const int *sizes) {
  struct network network = {.n_layers = n_layers};
  uint64_t seed = 7;
  for (int l = 0; l < n_layers; l++) {
    struct layer *layer = &network.layers[l];
    layer->n_inputs = sizes[l];
    layer->n_neurons = sizes[l + 1];
    size_t n_weights = (size_t)layer->n_inputs * layer->n_neurons;
    layer->weights = (float *)allocate(n_weights, sizeof(float));
    layer->bias = (float *)allocate(layer->n_neurons, sizeof(float));
    layer->output = (float *)allocate(layer->n_neurons, sizeof(float));
    layer->error = (float *)allocate(layer->n_neurons, sizeof(float));
    for (size_t i = 0; i < n_weights; i++)
      layer->weights[i] = (float)((random_unit(&seed) - 0.5) * 8 / layer->n_inputs);
  }
  return network;
}

void free_network(struct network *network) {
  for (int l = 0; l < network->n_layers; l++) {
    free(network->layers[l].weights);
    free(network->layers[l].bias);
    free(network->layers[l].output);
    free(network->layers[l].error);
  }
}

// Softsign: it needs no exponential function, whose last digit differs between C libraries.
static float activation(float x) { return x / (1 + (x < 0 ? -x : x)); }

static float slope(float y) {
  float rest = 1 - (y < 0 ? -y : y);
  return rest * rest;
}

const float *forward(struct network *network, const float *input) {
  for (int l = 0; l < network->n_layers; l++) {
    struct layer *layer = &network->layers[l];
    for (int i = 0; i < layer->n_neurons; i++) {
      const float *weights = layer->weights + (size_t)i * layer->n_inputs;
      float sum = layer->bias[i];
      for (int j = 0; j < layer->n_inputs; j++)
        sum += weights[j] * input[j];
      layer->output[i] = activation(sum);
    }
    input = layer->output;
  }
  return input;
}

static void propagate(const struct layer *layer, struct layer *below) {
  for (int j = 0; j < below->n_neurons; j++)
    below->error[j] = 0;
  for (int i = 0; i < layer->n_neurons; i++)
    for (int j = 0; j < below->n_neurons; j++)
      below->error[j] += layer->error[i] * layer->weights[(size_t)i * layer->n_inputs + j];
  for (int j = 0; j < below->n_neurons; j++)
    below->error[j] *= slope(below->output[j]);
}

static void learn(struct layer *layer, const float *input, float rate) {
  for (int i = 0; i < layer->n_neurons; i++) {
    float factor = rate * layer->error[i];
    float *weights = layer->weights + (size_t)i * layer->n_inputs;
    for (int j = 0; j < layer->n_inputs; j++)
      weights[j] += factor * input[j];
    layer->bias[i] += factor;
  }
}

float train(struct network *network, const float *input, const float *wanted, float rate) {
  const float *seen = forward(network, input);
  struct layer *last = &network->layers[network->n_layers - 1];
  float total = 0;
  for (int i = 0; i < last->n_neurons; i++) {
    float difference = wanted[i] - seen[i];
    total += difference * difference;
    last->error[i] = difference * slope(seen[i]);
  }
  for (int l = network->n_layers - 1; l > 0; l--)
    propagate(&network->layers[l], &network->layers[l - 1]);
  for (int l = 0; l < network->n_layers; l++)
    learn(&network->layers[l], l ? network->layers[l - 1].output : input, rate);
  return total;
}
