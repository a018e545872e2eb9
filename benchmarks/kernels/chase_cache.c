// A linked list in the first-level cache: the latency of a load.
#include "kernel.h"

enum { N = FIT(long, 1) };
struct node { struct node *next; } nodes[N], *result;

void setup(void) {
  for (int i = 0; i < N; i++)
    nodes[i].next = &nodes[(i + 1021) % N];
}

void kernel(void) {
  struct node *at = nodes;
  for (int i = 0; i < N; i++)
    at = at->next;
  result = at;
}
