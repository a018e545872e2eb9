// Searches in a sorted array: a chain of load, comparison and choice.
#include "kernel.h"

enum { N = FIT(int, 2) };
int x[N], wanted[N / 16], first_half = N / 2, result;

void setup(void) {
  for (int i = 0; i < N; i++)
    x[i] = 3 * i;
  for (int i = 0; i < N / 16; i++)
    wanted[i] = (unsigned)i * 2654435761u % (3 * N);
}

void kernel(void) {
  int sum = 0;
  for (int i = 0; i < N / 16; i++) {
    int low = 0;
    for (int half = first_half; half; half /= 2)
      low += x[low + half - 1] < wanted[i] ? half : 0;
    sum += low;
  }
  result = sum;
}
