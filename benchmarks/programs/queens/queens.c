// Queens that do not attack each other, on boards with holes: all solutions on bit masks, and the first ones plainly.
#include "../program.h"

struct count {
  uint64_t solutions, nodes;
};

// `allowed` has the free squares of this row and those after it; a row of zeros ends it.
static void place(const uint32_t *allowed, uint32_t columns, uint32_t left, uint32_t right, struct count *count) {
  count->nodes++;
  if (*allowed == 0) {
    count->solutions++;
    return;
  }
  for (uint32_t open = *allowed & ~(columns | left | right); open;) {
    uint32_t bit = open & -open;
    open ^= bit;
    place(allowed + 1, columns | bit, (left | bit) << 1, (right | bit) >> 1, count);
  }
}

// The same with an array of columns instead of masks, and only for the first `limit` solutions.
static int is_safe(const int *column, int row) {
  for (int other = 0; other < row; other++) {
    int distance = column[other] - column[row];
    if (distance == 0 || distance == row - other || distance == other - row)
      return 0;
  }
  return 1;
}

static void place_plainly(int *column, int row, int n, uint64_t limit, uint64_t *found, uint64_t *hash) {
  if (row == n) {
    ++*found;
    *hash = mix_bytes(*hash, column, (size_t)n * sizeof *column);
    return;
  }
  for (column[row] = 0; column[row] < n && *found < limit; column[row]++)
    if (is_safe(column, row))
      place_plainly(column, row + 1, n, limit, found, hash);
}

int main(int argc, char **argv) {
  enum { N = 11 };
  int rounds = argument(argc, argv, 1), column[N];
  uint64_t seed = 1, found = 0, hash = 0;
  uint32_t allowed[N + 1] = {0};
  struct count count = {0, 0};
  for (int round = 0; round < rounds; round++) {
    // The first board is whole; the others have a hole here and there.
    for (int row = 0; row < N; row++)
      allowed[row] = ((1u << N) - 1) & ~(round ? 1u << random_below(&seed, N) : 0);
    place(allowed, 0, 0, 0, &count);
    if (round == 0)
      printf("whole board: %" PRIu64 " solutions\n", count.solutions);
  }
  printf("all boards: %" PRIu64 " solutions, %" PRIu64 " nodes\n", count.solutions, count.nodes);
  place_plainly(column, 0, N, (uint64_t)rounds * 10, &found, &hash);
  printf("first %" PRIu64 ": %016" PRIx64 "\n", found, hash);
}
