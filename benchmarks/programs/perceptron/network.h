// A network of fully connected layers, with weights in rows, one row for each neuron.
#ifndef NETWORK_H
#define NETWORK_H

enum { MAX_LAYERS = 4 };

struct layer {
  int n_inputs, n_neurons;
  float *weights, *bias, *output, *error;
};

struct network {
  int n_layers;
  struct layer layers[MAX_LAYERS];
};

struct network make_network(int n_layers, const int *sizes);
void free_network(struct network *network);

// Returns the last layer's outputs, which the network owns.
const float *forward(struct network *network, const float *input);

// One step of gradient descent; returns the squared error before it.
float train(struct network *network, const float *input, const float *wanted, float rate);

#endif
