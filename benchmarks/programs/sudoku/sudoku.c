// Solves sudokus: sets of candidates in bits, singles first, then the cell with fewest candidates; makes them, too.
#include "../program.h"

struct board {
  uint16_t candidates[81]; // bit d: digit d + 1 is possible
  unsigned char digit[81]; // 0: open
  int n_open;
};

static unsigned char peers[81][20];

static void make_peers(void) {
  for (int a = 0; a < 81; a++) {
    int n = 0;
    for (int b = 0; b < 81; b++) {
      int same_box = a / 27 == b / 27 && a % 9 / 3 == b % 9 / 3;
      if (a != b && (a / 9 == b / 9 || a % 9 == b % 9 || same_box))
        peers[a][n++] = (unsigned char)b;
    }
  }
}

static int count_bits(unsigned x) {
  int n = 0;
  for (; x; x &= x - 1)
    n++;
  return n;
}

static void clear(struct board *board) {
  for (int cell = 0; cell < 81; cell++) {
    board->candidates[cell] = 0x1ff;
    board->digit[cell] = 0;
  }
  board->n_open = 81;
}

// 0 if that contradicts the rules; then the board is of no more use.
static int place(struct board *board, int cell, int digit) {
  unsigned bit = 1u << (digit - 1);
  if (!(board->candidates[cell] & bit))
    return 0;
  board->digit[cell] = (unsigned char)digit;
  board->candidates[cell] = (uint16_t)bit;
  board->n_open--;
  for (int k = 0; k < 20; k++) {
    int peer = peers[cell][k];
    if (!(board->candidates[peer] & bit))
      continue;
    if (board->digit[peer]) // the same digit was placed there in the meantime
      return 0;
    unsigned left = board->candidates[peer] &= (uint16_t)~bit;
    if (left == 0)
      return 0;
    if ((left & (left - 1)) == 0 && !place(board, peer, count_bits(left - 1) + 1))
      return 0;
  }
  return 1;
}

// Some boards that random digits make would take for ever.
enum { MAX_GUESSES = 2000 };

// Counts solutions up to `limit`; the first is left in *solution. With too many guesses it gives up and returns `limit`.
static int count_solutions(const struct board *board, struct board *solution, int limit, int *n_guesses) {
  if (board->n_open == 0) {
    *solution = *board;
    return 1;
  }
  int cell = -1, fewest = 10, found = 0;
  for (int i = 0; i < 81; i++)
    if (!board->digit[i]) {
      int n = count_bits(board->candidates[i]);
      if (n < fewest) {
        fewest = n;
        cell = i;
      }
    }
  for (int digit = 1; digit <= 9 && found < limit; digit++) {
    struct board next = *board;
    if (!(board->candidates[cell] >> (digit - 1) & 1))
      continue;
    if (++*n_guesses > MAX_GUESSES)
      return limit;
    if (place(&next, cell, digit)) {
      struct board other;
      found += count_solutions(&next, found ? &other : solution, limit - found, n_guesses);
    }
  }
  return found;
}

// Whether there is exactly one solution and it was found.
static int solve(const struct board *board, struct board *solution, long *total_guesses) {
  int n_guesses = 0, found = count_solutions(board, solution, 2, &n_guesses);
  *total_guesses += n_guesses;
  return found == 1;
}

static void fill(struct board *board, const unsigned char *digits, const unsigned char *kept) {
  clear(board);
  for (int i = 0; i < 81; i++)
    if (kept[i] && !board->digit[i])
      place(board, i, digits[i]);
}

// A full grid, placed at random, from which digits are taken while the solution stays the only one.
static void make_puzzle(uint64_t *seed, unsigned char *digits, unsigned char *kept, long *n_guesses) {
  struct board board, solution;
  clear(&board);
  for (int tries = 0; board.n_open > 0; tries++) {
    int cell = (int)random_below(seed, 81);
    struct board tried = board;
    if (!board.digit[cell] && place(&tried, cell, 1 + (int)random_below(seed, 9)))
      board = tried;
    if (tries == 500) { // it is stuck
      clear(&board);
      tries = 0;
    }
  }
  memcpy(digits, board.digit, 81);
  memset(kept, 1, 81);
  for (int k = 0; k < 150; k++) {
    int cell = (int)random_below(seed, 81);
    kept[cell] = 0;
    fill(&board, digits, kept);
    if (!solve(&board, &solution, n_guesses))
      kept[cell] = 1;
  }
}

int main(int argc, char **argv) {
  int n = argument(argc, argv, 1), n_right = 0, fewest = 81;
  unsigned char digits[81], kept[81];
  uint64_t seed = 1, hash = 0;
  long n_guesses = 0;
  make_peers();
  for (int i = 0; i < n; i++) {
    struct board board, solution;
    make_puzzle(&seed, digits, kept, &n_guesses);
    fill(&board, digits, kept);
    n_right += solve(&board, &solution, &n_guesses) && memcmp(solution.digit, digits, 81) == 0;
    int n_kept = 0;
    for (int cell = 0; cell < 81; cell++)
      n_kept += kept[cell];
    fewest = n_kept < fewest ? n_kept : fewest;
    hash = mix_bytes(hash, kept, 81);
    hash = mix_bytes(hash, digits, 81);
  }
  printf("solved %d of %d, fewest givens %d, guesses %ld, puzzles %016" PRIx64 "\n", n_right, n, fewest, n_guesses, hash);
}
