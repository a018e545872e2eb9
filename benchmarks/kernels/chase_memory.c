// A linked list that no cache near the core holds: memory's latency, which a model of the core does not see.
#include "kernel.h"

enum { N = 4096 };
enum { NODES = 1 << 18 };
struct node { struct node *next; char padding[56]; } nodes[NODES], *result;

void setup(void) {
  for (unsigned i = 0, at = 0; i < NODES; i++) {
    unsigned next = (at * 5 + 12345) % NODES; // visits all: a full-period generator
    nodes[at].next = &nodes[next];
    at = next;
  }
  result = nodes;
}

void kernel(void) {
  struct node *at = result;
  for (int i = 0; i < N; i++)
    at = at->next;
  result = at;
}
