// What fits best into a knapsack: by a table over all weights, and by branching with a bound; both must agree.
#include "../program.h"

struct item {
  int weight, value;
};

static int best_by_table(const struct item *items, int n, int capacity, int *best) {
  memset(best, 0, ((size_t)capacity + 1) * sizeof *best);
  for (int i = 0; i < n; i++)
    for (int weight = capacity; weight >= items[i].weight; weight--) {
      int with = best[weight - items[i].weight] + items[i].value;
      best[weight] = with > best[weight] ? with : best[weight];
    }
  return best[capacity];
}

// How many ways there are to fill a weight exactly, modulo 2^32, each item any number of times.
static uint32_t count_ways(const struct item *items, int n, int capacity, uint32_t *ways) {
  memset(ways, 0, ((size_t)capacity + 1) * sizeof *ways);
  ways[0] = 1;
  for (int i = 0; i < n; i++)
    for (int weight = items[i].weight; weight <= capacity; weight++)
      ways[weight] += ways[weight - items[i].weight];
  return ways[capacity];
}

struct search {
  const struct item *items;
  int n, best;
  long n_nodes, n_left; // it gives up after so many nodes
};

// The value if parts of items could be taken: no choice of whole ones is better.
static int bound(const struct search *search, int at, int room) {
  int64_t value = 0;
  for (; at < search->n && search->items[at].weight <= room; at++) {
    room -= search->items[at].weight;
    value += search->items[at].value;
  }
  if (at < search->n)
    value += (int64_t)room * search->items[at].value / search->items[at].weight;
  return (int)value;
}

static void branch(struct search *search, int at, int room, int value) {
  if (value > search->best)
    search->best = value;
  if (at == search->n || search->n_left-- <= 0 || value + bound(search, at, room) <= search->best)
    return;
  search->n_nodes++;
  if (search->items[at].weight <= room)
    branch(search, at + 1, room - search->items[at].weight, value + search->items[at].value);
  branch(search, at + 1, room, value);
}

static int compare(const void *a, const void *b) {
  const struct item *x = a, *y = b;
  int64_t left = (int64_t)x->value * y->weight, right = (int64_t)y->value * x->weight;
  if (left != right)
    return left < right ? 1 : -1;
  return x->weight != y->weight ? (x->weight > y->weight) - (x->weight < y->weight) : 0;
}

int main(int argc, char **argv) {
  int n = argument(argc, argv, 1), capacity = n * 250;
  struct item *items = (struct item *)allocate(n, sizeof *items);
  int *best = (int *)allocate((size_t)capacity + 1, sizeof *best);
  uint64_t seed = 1;
  for (int i = 0; i < n; i++) {
    items[i].weight = 50 + (int)random_below(&seed, 950);
    items[i].value = items[i].weight + (int)random_below(&seed, 100);
  }
  qsort(items, n, sizeof *items, compare);
  int by_table = best_by_table(items, n, capacity, best);
  struct search search = {items, n, 0, 0, (long)n * n * 4};
  branch(&search, 0, capacity, 0);
  uint32_t ways = count_ways(items, n, capacity, (uint32_t *)best);
  printf("table %d branching %d after %ld nodes, ways %" PRIu32 "\n", by_table, search.best, search.n_nodes, ways);
  free(items);
  free(best);
}
