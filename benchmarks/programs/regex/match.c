#include "regex.h"
#include <string.h>

// The instructions that are waiting for the next character, each once, in the order in which they came.
struct threads {
  int instructions[MAX_PROGRAM], n;
  unsigned generation[MAX_PROGRAM]; // of the step that each was added in
};

static void add_thread(const struct regex *regex, struct threads *threads, int at, unsigned step) {
  if (threads->generation[at] == step)
    return;
  threads->generation[at] = step;
  const struct instruction *instruction = &regex->program[at];
  if (instruction->operation == JUMP) {
    add_thread(regex, threads, instruction->x, step);
  } else if (instruction->operation == SPLIT) {
    add_thread(regex, threads, instruction->x, step);
    add_thread(regex, threads, instruction->y, step);
  } else {
    threads->instructions[threads->n++] = at;
  }
}

static int accepts(const struct instruction *instruction, unsigned char c) {
  switch (instruction->operation) {
  case MATCH_CHARACTER:
    return instruction->character == c;
  case MATCH_ANY:
    return c != '\n';
  case MATCH_SET:
    return instruction->set[c / 8] >> c % 8 & 1;
  default:
    return 0;
  }
}

const char *regex_match(const struct regex *regex, const char *text, const char *end) {
  struct threads lists[2] = {0}, *now = &lists[0], *next = &lists[1];
  const char *longest = NULL;
  unsigned step = 1;
  add_thread(regex, now, 0, step);
  for (; now->n > 0; text++) {
    next->n = 0;
    step++;
    for (int i = 0; i < now->n; i++) {
      const struct instruction *instruction = &regex->program[now->instructions[i]];
      if (instruction->operation == ACCEPT)
        longest = text;
      else if (text < end && accepts(instruction, (unsigned char)*text))
        add_thread(regex, next, now->instructions[i] + 1, step);
    }
    struct threads *swapped = now;
    now = next;
    next = swapped;
  }
  return longest;
}
