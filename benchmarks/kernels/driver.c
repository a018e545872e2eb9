// Runs kernel() and prints how often each of its counted loops went round in one call, then nanoseconds per call.
//
//   driver CALLS
//
// Processor time, so that other programs on the machine disturb as little as they can. Compiled with -DCALLS=n it calls
// so often and prints no times: for those who measure from outside.
#include "kernel.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#pragma weak setup
// Put into the assembly of a kernel whose loops are to be counted: how many there are, then one counter each.
extern unsigned long cc_agent_counts[] __attribute__((weak));

void fill_random(void *place, unsigned long size) {
  unsigned long state = 88172645463325252ul;
  for (unsigned long i = 0; i < size; i++) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    ((unsigned char *)place)[i] = (unsigned char)(state >> 24);
  }
}

static double now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return 1e9 * (double)time.tv_sec + (double)time.tv_nsec;
}

int main(int count, char **words) {
  if (setup)
    setup();
#ifdef CALLS
  for (long i = 0; i < CALLS; i++)
    kernel();
  puts("done");
#else
  long calls = count > 1 ? atol(words[1]) : 1;
  kernel(); // brings memory and caches into the state that later calls find
  if (cc_agent_counts)
    for (unsigned long i = 1; i <= cc_agent_counts[0]; i++)
      printf("%lu ", cc_agent_counts[i]);
  double start = now_ns();
  for (long i = 0; i < calls; i++)
    kernel();
  printf("%.3f\n", (now_ns() - start) / (double)calls);
#endif
}
