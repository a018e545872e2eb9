// Random paths of a price, and what an option on its average and an option with a barrier are worth.
#include "../program.h"

struct generator {
  uint64_t s[2];
};

// xoroshiro128+. Source: Blackman, Vigna, "Scrambled linear pseudorandom number generators", 2018.
static inline double draw(struct generator *g) {
  uint64_t a = g->s[0], b = g->s[1], sum = a + b;
  b ^= a;
  g->s[0] = ((a << 24) | (a >> 40)) ^ b ^ (b << 16);
  g->s[1] = (b << 37) | (b >> 27);
  return (double)(sum >> 11) * 0x1p-53;
}

// Nearly normal: the sum of twelve uniform numbers has variance 1. It needs no function of the C library.
static double draw_normal(struct generator *g) {
  double sum = -6;
  for (int i = 0; i < 12; i++)
    sum += draw(g);
  return sum;
}

struct payoffs {
  double asian, barrier;
  int n_crossed;
};

static struct payoffs simulate(struct generator *g, int n_paths, int n_steps, double start, double strike) {
  struct payoffs sums = {0, 0, 0};
  double drift = 0.02 / n_steps, volatility = 0.3 / n_steps;
  for (int path = 0; path < n_paths; path++) {
    double price = start, total = 0;
    int crossed = 0;
    for (int step = 0; step < n_steps; step++) {
      price *= 1 + drift + volatility * draw_normal(g);
      total += price;
      crossed |= price > 1.05 * start;
    }
    double average = total / n_steps;
    sums.asian += average > strike ? average - strike : 0;
    sums.barrier += !crossed && price > strike ? price - strike : 0;
    sums.n_crossed += crossed;
  }
  return sums;
}

int main(int argc, char **argv) {
  int n_paths = argument(argc, argv, 1);
  struct generator g = {{0x1234567, 0x89abcdef}};
  struct payoffs sums = simulate(&g, n_paths, 50, 100.0, 99.0);
  printf("asian %.17g barrier %.17g crossed %d of %d\n", sums.asian / n_paths, sums.barrier / n_paths, sums.n_crossed,
         n_paths);
}
