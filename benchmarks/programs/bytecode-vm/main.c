// Runs three programs of a small language: a sieve, a recursion, and a loop of arithmetic.
#include "../program.h"
#include "vm.h"

// Each counts up to or works with n, which is set before.
static const char *const sources[] = {
    // Primes below n * 100.
    "m: n * 100; i: 2; @ i < m { ? [i] = 0 { c: c + 1; s: s + i; j: i + i; @ j < m { [j]: 1; j: j + i; } } i: i + 1; }"
    "! c; ! s;",
    // Fibonacci numbers by recursion, with the parameter in a global and the rest in memory below it.
    "# F { ? x < 2 ^ x; d: d + 1; [d]: x; x: x - 1; [d + 500]: F; x: [d] - 2; y: F; x: [d]; d: d - 1;"
    " ^ [d + 501] + y; }"
    "k: 0; @ k < n { x: 8 + k % 5; ! F; k: k + 1; }",
    // A generator of random numbers, and how its numbers are spread.
    "i: 0; r: 1; @ i < n * 200 { r: (r * 1103515245 + 12345) % 2147483647; b: r % 97; [b]: [b] + 1;"
    "? r & 64 { t: t + 1; } i: i + 1; } i: 0; @ i < 97 { ! [i]; i: i + 1; } ! t;",
};

int main(int argc, char **argv) {
  int n = argument(argc, argv, 1);
  for (unsigned p = 0; p < sizeof sources / sizeof *sources; p++) {
    struct code code;
    struct machine machine = {.memory = (int64_t *)allocate(MEMORY_WORDS, sizeof(int64_t))};
    machine.globals['n' - 'a'] = n;
    compile(sources[p], &code);
    run(&code, &machine);
    printf("program %u: %d words, %" PRIu64 " steps, output %016" PRIx64 "\n", p, code.size, machine.n_steps,
           machine.output);
    free(machine.memory);
  }
}
