// Two narrow stores, then a wide load of both: the store buffer cannot forward them.
#include "kernel.h"

enum { N = 4096 };
union both { unsigned half[2]; unsigned long whole; };
volatile union both place;
unsigned long result;

void kernel(void) {
  unsigned long sum = 0;
  for (unsigned i = 0; i < N; i++) {
    place.half[0] = i;
    place.half[1] = i;
    sum += place.whole;
  }
  result = sum;
}
