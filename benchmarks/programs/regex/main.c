// Finds dates, addresses, nested repetitions and the like in the lines of a made-up log.
#include "../program.h"
#include "regex.h"

static const char *const patterns[] = {
    "[0-9]+-[0-9]+-[0-9]+",       "[a-z0-9]+@[a-z]+[0-9]\\.(com|org|net)", "(a|aa)*b", "error|warning|fatal",
    "([a-z]+ )?[0-9]+\\.[0-9]*e", "[^ ]+/[^ /]+\\.c",              "x.z",
};

static size_t make_log(char *text, size_t capacity, uint64_t seed) {
  static const char *const pieces[] = {"2024-0%d-1%d ", "ann%d@mail%d.org ", "aaaaaaaaaab%d ab%d ", "warning %d of %d ",
                                       "took %d.%de3 s ", "src/deep/file%d_%d.c ", "xyz%dx%dz\n", "error%d:%d\n"};
  size_t size = 0;
  while (size + 64 < capacity)
    size += (size_t)snprintf(text + size, 64, pieces[random_below(&seed, 8)], (int)random_below(&seed, 10),
                             (int)random_below(&seed, 10));
  return size;
}

int main(int argc, char **argv) {
  size_t capacity = (size_t)argument(argc, argv, 1) * 1000 + 64;
  char *text = (char *)allocate(capacity, 1);
  size_t size = make_log(text, capacity, 1);
  const char *end = text + size;
  for (size_t p = 0; p < sizeof patterns / sizeof *patterns; p++) {
    struct regex regex;
    if (!regex_compile(patterns[p], &regex))
      return 1;
    size_t count = 0, matched = 0;
    for (const char *at = text; at < end;) {
      const char *after = regex_match(&regex, at, end);
      if (after && after > at) {
        count++;
        matched += (size_t)(after - at);
        at = after;
      } else {
        at++;
      }
    }
    printf("%s: %zu matches, %zu characters\n", patterns[p], count, matched);
  }
  free(text);
}
