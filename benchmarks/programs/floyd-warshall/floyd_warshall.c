// Shortest paths between all pairs of nodes, on a dense matrix of integer distances.
#include "../program.h"

enum { UNREACHABLE = 1 << 28 };

static void shortest_paths(int *distance, int n) {
  for (int k = 0; k < n; k++)
    for (int i = 0; i < n; i++)
      for (int j = 0; j < n; j++) {
        int through = distance[i * n + k] + distance[k * n + j];
        if (through < distance[i * n + j])
          distance[i * n + j] = through;
      }
}

int main(int argc, char **argv) {
  int n = argument(argc, argv, 1);
  int *distance = (int *)allocate((size_t)n * n, sizeof *distance);
  uint64_t seed = 1;
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++)
      distance[i * n + j] = i == j ? 0 : random_below(&seed, 8) ? UNREACHABLE : 1 + (int)random_below(&seed, 10000);
  shortest_paths(distance, n);
  int64_t total = 0;
  int longest = 0;
  for (int i = 0; i < n * n; i++) {
    total += distance[i];
    longest = distance[i] > longest ? distance[i] : longest;
  }
  printf("distances %016" PRIx64 " total %" PRId64 " longest %d\n",
         mix_bytes(0, distance, (size_t)n * n * sizeof *distance), total, longest);
  free(distance);
}
