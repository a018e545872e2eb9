// Calls a kernel of benchmarks/kernels CALLS times; what `bench measurement` measures.
#include "../kernels/kernel.h"
#include <stdio.h>

#pragma weak setup

void fill_random(void *place, unsigned long size) {
  unsigned long state = 88172645463325252ul;
  for (unsigned long i = 0; i < size; i++) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    ((unsigned char *)place)[i] = (unsigned char)(state >> 24);
  }
}

int main(void) {
  if (setup)
    setup();
  for (long i = 0; i < CALLS; i++)
    kernel();
  puts("done");
}
