// Distances between strings (insert, delete, replace, swap neighbours) and longest common subsequences, row by row.
#include "../program.h"

static int minimum(int a, int b) { return a < b ? a : b; }

static int distance(const char *a, int n, const char *b, int m, int *rows) {
  int *before = rows, *previous = rows + m + 1, *current = rows + 2 * (m + 1);
  for (int j = 0; j <= m; j++)
    previous[j] = j;
  for (int i = 1; i <= n; i++) {
    current[0] = i;
    for (int j = 1; j <= m; j++) {
      int best = minimum(previous[j] + 1, current[j - 1] + 1);
      best = minimum(best, previous[j - 1] + (a[i - 1] != b[j - 1]));
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        best = minimum(best, before[j - 2] + 1);
      current[j] = best;
    }
    int *oldest = before;
    before = previous;
    previous = current;
    current = oldest;
  }
  return previous[m];
}

static int common_subsequence(const char *a, int n, const char *b, int m, int *row) {
  memset(row, 0, (size_t)(m + 1) * sizeof *row);
  for (int i = 0; i < n; i++) {
    int diagonal = 0;
    for (int j = 1; j <= m; j++) {
      int above = row[j];
      if (a[i] == b[j - 1])
        row[j] = diagonal + 1;
      else if (row[j - 1] > above)
        row[j] = row[j - 1];
      diagonal = above;
    }
  }
  return row[m];
}

// The length of the longest common substring, and where it begins in a.
static int common_substring(const char *a, int n, const char *b, int m, int *row, int *start) {
  int longest = 0;
  memset(row, 0, (size_t)(m + 1) * sizeof *row);
  for (int i = 0; i < n; i++)
    for (int j = m; j > 0; j--) { // backwards: row[j - 1] is still the previous row's
      row[j] = a[i] == b[j - 1] ? row[j - 1] + 1 : 0;
      if (row[j] > longest) {
        longest = row[j];
        *start = i - longest + 1;
      }
    }
  return longest;
}

int main(int argc, char **argv) {
  int n = argument(argc, argv, 1), m = 0, start = 0;
  char *a = (char *)allocate((size_t)n + 1, 1), *b = (char *)allocate((size_t)2 * n + 1, 1);
  uint64_t seed = 1;
  for (int i = 0; i < n; i++)
    a[i] = "acgt"[random_below(&seed, 4)];
  for (int i = 0; i < n; i++) { // a copy with mistakes
    uint32_t mistake = random_below(&seed, 24);
    if (mistake != 0)
      b[m++] = mistake == 1 ? 'a' : a[i];
    if (mistake == 2)
      b[m++] = "acgt"[random_below(&seed, 4)];
  }
  int *rows = (int *)allocate((size_t)3 * (m + 1), sizeof *rows);
  printf("lengths %d %d distance %d", n, m, distance(a, n, b, m, rows));
  printf(" common subsequence %d", common_subsequence(a, n, b, m, rows));
  int length = common_substring(a, n, b, m, rows, &start);
  printf(" substring %d at %d\n", length, start);
  free(a);
  free(b);
  free(rows);
}
