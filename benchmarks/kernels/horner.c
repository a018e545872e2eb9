// A polynomial of degree 7 at each point: independent chains of multiply-adds.
#include "kernel.h"

enum { N = FIT(float, 2) };
float x[N], y[N];

void kernel(void) {
  for (int i = 0; i < N; i++) {
    float v = x[i];
    y[i] = ((((((0.1f * v + 0.2f) * v + 0.3f) * v + 0.4f) * v + 0.5f) * v + 0.6f) * v + 0.7f) * v + 0.8f;
  }
}
