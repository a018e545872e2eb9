// Breadth-first search and connected components of a random graph with a few hubs, in compressed rows.
#include "../program.h"

struct graph {
  int n, *start, *neighbours;
};

// Both directions of each pair, sorted by node with counts.
static struct graph make_graph(int n, int n_edges) {
  int *ends = (int *)allocate((size_t)n_edges * 2, sizeof *ends);
  struct graph graph = {n, (int *)allocate((size_t)n + 2, sizeof(int)),
                        (int *)allocate((size_t)n_edges * 2, sizeof(int))};
  uint64_t seed = 1;
  for (int e = 0; e < n_edges; e++) {
    ends[2 * e] = (int)random_below(&seed, (uint32_t)n);
    // Every fourth edge leads to a hub.
    ends[2 * e + 1] = (int)random_below(&seed, (uint32_t)(e % 4 ? n : n / 100 + 1));
  }
  for (int i = 0; i < 2 * n_edges; i++)
    graph.start[ends[i] + 2]++;
  for (int i = 2; i <= n; i++)
    graph.start[i] += graph.start[i - 1];
  for (int e = 0; e < n_edges; e++) {
    int a = ends[2 * e], b = ends[2 * e + 1];
    graph.neighbours[graph.start[a + 1]++] = b;
    graph.neighbours[graph.start[b + 1]++] = a;
  }
  free(ends);
  return graph;
}

// Levels from a node, for those that are not reached yet; returns how many it reached.
static int search(const struct graph *graph, int source, int *level, int *queue) {
  int head = 0, tail = 0;
  level[source] = 0;
  queue[tail++] = source;
  while (head < tail) {
    int node = queue[head++];
    for (int e = graph->start[node]; e < graph->start[node + 1]; e++) {
      int next = graph->neighbours[e];
      if (level[next] < 0) {
        level[next] = level[node] + 1;
        queue[tail++] = next;
      }
    }
  }
  return tail;
}

int main(int argc, char **argv) {
  int n = argument(argc, argv, 1), rounds = argument(argc, argv, 2);
  struct graph graph = make_graph(n, n + n / 2);
  int *level = (int *)allocate(n, sizeof *level), *queue = (int *)allocate(n, sizeof *queue);
  uint64_t hash = 0;
  int n_components = 0, largest = 0, deepest = 0;
  for (int round = 0; round < rounds; round++) {
    n_components = 0;
    for (int i = 0; i < n; i++)
      level[i] = -1;
    for (int i = 0; i < n; i++) {
      int source = (int)(((int64_t)i + 7 * round) % n);
      if (level[source] < 0) {
        int size = search(&graph, source, level, queue);
        largest = size > largest ? size : largest;
        n_components++;
      }
    }
    hash = mix_bytes(hash, level, (size_t)n * sizeof *level);
  }
  for (int i = 0; i < n; i++)
    deepest = level[i] > deepest ? level[i] : deepest;
  printf("components %d largest %d deepest %d levels %016" PRIx64 "\n", n_components, largest, deepest, hash);
  free(graph.start);
  free(graph.neighbours);
  free(level);
  free(queue);
}
