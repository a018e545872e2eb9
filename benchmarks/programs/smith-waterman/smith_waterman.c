// Local alignment of two sequences with affine gaps; the best one is traced back through a matrix of directions.
// Source: Smith, Waterman 1981; Gotoh 1982.
#include "../program.h"

enum { N_LETTERS = 20, GAP_OPEN = 11, GAP_EXTEND = 1 };
enum direction { STOP, DIAGONAL, UP, LEFT };

struct alignment {
  int score, end_a, end_b;
};

static signed char scores[N_LETTERS][N_LETTERS];

static void make_scores(void) {
  uint64_t seed = 3;
  for (int i = 0; i < N_LETTERS; i++)
    for (int j = 0; j <= i; j++)
      scores[i][j] = scores[j][i] = (signed char)(i == j ? 4 + (int)random_below(&seed, 5) : (int)random_below(&seed, 6) - 4);
}

static struct alignment align(const unsigned char *a, int n, const unsigned char *b, int m, unsigned char *directions,
                              int *row, int *gaps) {
  struct alignment best = {0, 0, 0};
  memset(row, 0, (size_t)(m + 1) * sizeof *row);
  for (int j = 0; j <= m; j++)
    gaps[j] = -GAP_OPEN;
  for (int i = 1; i <= n; i++) {
    const signed char *score_of = scores[a[i - 1]];
    int diagonal = 0, gap_left = -GAP_OPEN, left = 0;
    for (int j = 1; j <= m; j++) {
      int match = diagonal + score_of[b[j - 1]], up = row[j] - GAP_OPEN, extended = gaps[j] - GAP_EXTEND;
      gaps[j] = up > extended ? up : extended;
      int open_left = left - GAP_OPEN, extended_left = gap_left - GAP_EXTEND;
      gap_left = open_left > extended_left ? open_left : extended_left;
      int score = 0;
      enum direction direction = STOP;
      if (match > score) {
        score = match;
        direction = DIAGONAL;
      }
      if (gaps[j] > score) {
        score = gaps[j];
        direction = UP;
      }
      if (gap_left > score) {
        score = gap_left;
        direction = LEFT;
      }
      if (score > best.score)
        best = (struct alignment){score, i, j};
      diagonal = row[j];
      row[j] = left = score;
      directions[(size_t)i * (m + 1) + j] = (unsigned char)direction;
    }
  }
  return best;
}

int main(int argc, char **argv) {
  int n = argument(argc, argv, 1), m = n + n / 4;
  unsigned char *a = (unsigned char *)allocate(n, 1), *b = (unsigned char *)allocate(m, 1);
  unsigned char *directions = (unsigned char *)allocate((size_t)(n + 1) * (m + 1), 1);
  int *row = (int *)allocate((size_t)m + 1, sizeof *row), *gaps = (int *)allocate((size_t)m + 1, sizeof *gaps);
  uint64_t seed = 1, path = 0;
  for (int i = 0; i < n; i++)
    a[i] = (unsigned char)random_below(&seed, N_LETTERS);
  for (int j = 0; j < m; j++) // a part of a in its middle, with mistakes
    b[j] = j > m / 3 && j < m / 2 && random_below(&seed, 8) ? a[j - m / 5] : (unsigned char)random_below(&seed, N_LETTERS);
  make_scores();
  struct alignment best = align(a, n, b, m, directions, row, gaps);
  int i = best.end_a, j = best.end_b, length = 0;
  for (int direction; i > 0 && j > 0 && (direction = directions[(size_t)i * (m + 1) + j]) != STOP; length++) {
    path = mix(path, (uint64_t)direction);
    i -= direction != LEFT;
    j -= direction != UP;
  }
  printf("score %d from %d,%d to %d,%d in %d steps %016" PRIx64 " directions %016" PRIx64 "\n", best.score, i, j,
         best.end_a, best.end_b, length, path, mix_bytes(0, directions, (size_t)(n + 1) * (m + 1)));
  free(a);
  free(b);
  free(directions);
  free(row);
  free(gaps);
}
