// Shortest paths from one node, with a binary heap in which distances are lowered, on a road-like graph.
#include "../program.h"

struct edge {
  int to, length;
};

struct graph {
  int n;
  int *start; // of each node's edges
  struct edge *edges;
};

struct heap {
  int *nodes, *place, size; // place of each node in `nodes`, or -1
  const int64_t *distance;
};

static void put(struct heap *heap, int at, int node) {
  heap->nodes[at] = node;
  heap->place[node] = at;
}

static void sift_up(struct heap *heap, int at) {
  int node = heap->nodes[at];
  while (at > 0 && heap->distance[heap->nodes[(at - 1) / 2]] > heap->distance[node]) {
    put(heap, at, heap->nodes[(at - 1) / 2]);
    at = (at - 1) / 2;
  }
  put(heap, at, node);
}

static int take_nearest(struct heap *heap) {
  int nearest = heap->nodes[0], node = heap->nodes[--heap->size], at = 0;
  heap->place[nearest] = -1;
  if (heap->size == 0)
    return nearest;
  for (;;) {
    int child = 2 * at + 1;
    if (child >= heap->size)
      break;
    if (child + 1 < heap->size && heap->distance[heap->nodes[child + 1]] < heap->distance[heap->nodes[child]])
      child++;
    if (heap->distance[heap->nodes[child]] >= heap->distance[node])
      break;
    put(heap, at, heap->nodes[child]);
    at = child;
  }
  put(heap, at, node);
  return nearest;
}

static void shortest_paths(const struct graph *graph, int source, int64_t *distance, struct heap *heap) {
  for (int i = 0; i < graph->n; i++) {
    distance[i] = INT64_MAX;
    heap->place[i] = -1;
  }
  distance[source] = 0;
  heap->size = 1;
  put(heap, 0, source);
  while (heap->size > 0) {
    int node = take_nearest(heap);
    for (int e = graph->start[node]; e < graph->start[node + 1]; e++) {
      int to = graph->edges[e].to;
      int64_t through = distance[node] + graph->edges[e].length;
      if (through >= distance[to])
        continue;
      distance[to] = through;
      if (heap->place[to] < 0)
        put(heap, heap->size++, to);
      sift_up(heap, heap->place[to]);
    }
  }
}

// A grid of roads of random lengths, and some motorways.
static struct graph make_graph(int side) {
  struct graph graph = {side * side, (int *)allocate((size_t)side * side + 1, sizeof(int)),
                        (struct edge *)allocate((size_t)side * side * 5, sizeof(struct edge))};
  uint64_t seed = 1;
  int n = 0;
  for (int i = 0; i < graph.n; i++) {
    int x = i % side, y = i / side;
    graph.start[i] = n;
    int neighbours[4] = {x > 0 ? i - 1 : -1, x + 1 < side ? i + 1 : -1, y > 0 ? i - side : -1,
                         y + 1 < side ? i + side : -1};
    for (int k = 0; k < 4; k++)
      if (neighbours[k] >= 0)
        graph.edges[n++] = (struct edge){neighbours[k], 10 + (int)random_below(&seed, 90)};
    if (random_below(&seed, 20) == 0)
      graph.edges[n++] = (struct edge){(int)random_below(&seed, (uint32_t)graph.n), 300};
  }
  graph.start[graph.n] = n;
  return graph;
}

int main(int argc, char **argv) {
  struct graph graph = make_graph(argument(argc, argv, 1));
  int64_t *distance = (int64_t *)allocate(graph.n, sizeof *distance);
  struct heap heap = {(int *)allocate(graph.n, sizeof(int)), (int *)allocate(graph.n, sizeof(int)), 0, distance};
  for (int round = 0; round < 3; round++) {
    shortest_paths(&graph, graph.n / 3 * round, distance, &heap);
    int64_t farthest = 0;
    for (int i = 0; i < graph.n; i++)
      farthest = distance[i] > farthest ? distance[i] : farthest;
    printf("farthest %" PRId64 " distances %016" PRIx64 "\n", farthest,
           mix_bytes(0, distance, (size_t)graph.n * sizeof *distance));
  }
  free(graph.start);
  free(graph.edges);
  free(distance);
  free(heap.nodes);
  free(heap.place);
}
