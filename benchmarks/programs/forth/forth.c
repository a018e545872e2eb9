// A little Forth: words are lists of function pointers that call each other; text is compiled as it is read.
#include "../program.h"

enum { MAX_WORDS = 128, MAX_CELLS = 4096, STACK_SIZE = 1024, N_VARIABLES = 4096 };

struct forth;
typedef void (*action)(struct forth *);

union cell {
  action run;
  int64_t number;
};

struct word {
  char name[12];
  action run;  // of a primitive, or NULL
  int start;   // in `cells`, of a word that was defined
};

struct forth {
  struct word words[MAX_WORDS];
  union cell cells[MAX_CELLS];
  int64_t stack[STACK_SIZE], variables[N_VARIABLES];
  int returns[STACK_SIZE], n_words, n_cells, depth, n_returns, at;
  uint64_t output;
};

static int64_t pop(struct forth *f) {
  if (f->depth == 0)
    exit(3);
  return f->stack[--f->depth];
}

static void push(struct forth *f, int64_t value) {
  if (f->depth == STACK_SIZE)
    exit(3);
  f->stack[f->depth++] = value;
}

static void literal(struct forth *f) { push(f, f->cells[f->at++].number); }
static void branch(struct forth *f) { f->at = (int)f->cells[f->at].number; }
static void branch_if_zero(struct forth *f) { f->at = pop(f) == 0 ? (int)f->cells[f->at].number : f->at + 1; }
static void call(struct forth *f) {
  if (f->n_returns == STACK_SIZE)
    exit(3);
  f->returns[f->n_returns++] = f->at + 1;
  f->at = (int)f->cells[f->at].number;
}
static void leave(struct forth *f) { f->at = f->returns[--f->n_returns]; }

#define BINARY(name, expression)                                                                                       \
  static void name(struct forth *f) {                                                                                  \
    int64_t b = pop(f), a = pop(f);                                                                                    \
    push(f, expression);                                                                                               \
  }
BINARY(add, (int64_t)((uint64_t)a + (uint64_t)b))
BINARY(subtract, (int64_t)((uint64_t)a - (uint64_t)b))
BINARY(multiply, (int64_t)((uint64_t)a * (uint64_t)b))
BINARY(remainder_of, b > 0 ? a % b : 0)
BINARY(quotient, b > 0 ? a / b : 0)
BINARY(is_less, a < b)
BINARY(is_equal, a == b)
BINARY(both, a & b)
BINARY(exclusive, a ^ b)

static void duplicate(struct forth *f) { push(f, f->stack[f->depth - 1]); }
static void drop(struct forth *f) { pop(f); }
static void over(struct forth *f) { push(f, f->stack[f->depth - 2]); }
static void swap(struct forth *f) {
  int64_t b = pop(f), a = pop(f);
  push(f, b);
  push(f, a);
}
static void fetch(struct forth *f) { push(f, f->variables[pop(f) & (N_VARIABLES - 1)]); }
static void store(struct forth *f) {
  int64_t place = pop(f) & (N_VARIABLES - 1);
  f->variables[place] = pop(f);
}
static void print(struct forth *f) { f->output = mix(f->output, (uint64_t)pop(f)); }

static const struct word primitives[] = {
    {"+", add, 0},       {"-", subtract, 0},     {"*", multiply, 0}, {"mod", remainder_of, 0}, {"/", quotient, 0},
    {"<", is_less, 0},   {"=", is_equal, 0},     {"and", both, 0},   {"xor", exclusive, 0},    {"dup", duplicate, 0},
    {"drop", drop, 0},   {"over", over, 0},      {"swap", swap, 0},  {"@", fetch, 0},          {"!", store, 0},
    {".", print, 0},
};

static void compile_action(struct forth *f, action run) {
  if (f->n_cells == MAX_CELLS)
    exit(3);
  f->cells[f->n_cells++].run = run;
}

static void compile_number(struct forth *f, int64_t number) {
  if (f->n_cells == MAX_CELLS)
    exit(3);
  f->cells[f->n_cells++].number = number;
}

static const struct word *find(const struct forth *f, const char *name) {
  for (int i = f->n_words - 1; i >= 0; i--)
    if (strcmp(f->words[i].name, name) == 0)
      return &f->words[i];
  return NULL;
}

static const char *next_name(const char *text, char name[12]) {
  int n = 0;
  while (*text == ' ')
    text++;
  for (; *text && *text != ' '; text++)
    if (n < 11)
      name[n++] = *text;
  name[n] = 0;
  return text;
}

// Compiles one word of text; control structures keep their open places on the data stack.
static void compile_name(struct forth *f, const char *name) {
  const struct word *word = find(f, name);
  if (word && word->run) {
    compile_action(f, word->run);
  } else if (word) {
    compile_action(f, call);
    compile_number(f, word->start);
  } else if (strcmp(name, "if") == 0 || strcmp(name, "while") == 0) {
    compile_action(f, branch_if_zero);
    push(f, f->n_cells);
    compile_number(f, 0);
  } else if (strcmp(name, "else") == 0) {
    compile_action(f, branch);
    compile_number(f, 0);
    f->cells[pop(f)].number = f->n_cells;
    push(f, f->n_cells - 1);
  } else if (strcmp(name, "then") == 0) {
    f->cells[pop(f)].number = f->n_cells;
  } else if (strcmp(name, "begin") == 0) {
    push(f, f->n_cells);
  } else if (strcmp(name, "repeat") == 0) {
    int64_t out = pop(f);
    compile_action(f, branch);
    compile_number(f, pop(f));
    f->cells[out].number = f->n_cells;
  } else {
    compile_action(f, literal);
    compile_number(f, strtol(name, NULL, 10));
  }
}

// A line is a definition, `: name … ;`, or is run at once; returns how many words were executed.
static uint64_t interpret(struct forth *f, const char *text) {
  char name[12];
  int start = f->n_cells;
  uint64_t n_steps = 0;
  text = next_name(text, name);
  if (strcmp(name, ":") == 0) {
    struct word *word = &f->words[f->n_words];
    text = next_name(text, word->name);
    word->start = f->n_cells;
    f->n_words++; // before its body, which may call it
    for (text = next_name(text, name); strcmp(name, ";") != 0; text = next_name(text, name))
      compile_name(f, name);
    compile_action(f, leave);
    return 0;
  }
  for (; *name; text = next_name(text, name))
    compile_name(f, name);
  compile_action(f, leave);
  f->returns[f->n_returns++] = -1;
  for (f->at = start; f->at >= 0; n_steps++)
    f->cells[f->at++].run(f);
  f->n_cells = start;
  return n_steps;
}

int main(int argc, char **argv) {
  static const char *const lines[] = {
      ": gcd begin dup while swap over mod repeat drop ;",
      ": fib dup 2 < if else dup 1 - fib swap 2 - fib + then ;",
      ": collatz 0 swap begin dup 1 - while dup 2 mod if 3 * 1 + else 2 / then swap 1 + swap repeat drop ;",
      ": mix 1 begin dup 300 < while dup 1000003 * 255 and over ! dup 1 - @ over @ xor . 1 + repeat . ;",
      "13 fib .",
      "mix",
      "27 collatz . 97 collatz . 871 collatz .",
      "1071 462 gcd . 123456 7890 gcd . 6765 4181 gcd .",
  };
  static struct forth f;
  int rounds = argument(argc, argv, 1);
  uint64_t n_steps = 0;
  for (size_t i = 0; i < sizeof primitives / sizeof *primitives; i++)
    f.words[f.n_words++] = primitives[i];
  for (int round = 0; round < rounds; round++) {
    for (size_t i = round ? 4 : 0; i < sizeof lines / sizeof *lines; i++)
      n_steps += interpret(&f, lines[i]);
    f.variables[round & (N_VARIABLES - 1)] ^= (int64_t)(f.output >> 40);
  }
  printf("steps %" PRIu64 " depth %d output %016" PRIx64 "\n", n_steps, f.depth, f.output);
}
