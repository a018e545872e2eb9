// Arithmetic expressions: a recursive parser makes trees of random text, which are folded, evaluated and printed.
#include "../program.h"

enum kind { NUMBER, VARIABLE, NEGATE, ADD, SUBTRACT, MULTIPLY, DIVIDE, CHOOSE };

struct node {
  enum kind kind;
  int64_t value; // of a number; the variable's index
  struct node *a, *b, *c;
};

// Nodes live until the whole expression is done with.
struct arena {
  struct node *nodes;
  size_t used, size;
};

static struct node *new_node(struct arena *arena, enum kind kind, int64_t value, struct node *a, struct node *b) {
  if (arena->used == arena->size) {
    fprintf(stderr, "the expression is too long\n");
    exit(3);
  }
  struct node *node = &arena->nodes[arena->used++];
  *node = (struct node){kind, value, a, b, NULL};
  return node;
}

static struct node *parse_choice(const char **at, struct arena *arena);

static struct node *parse_primary(const char **at, struct arena *arena) {
  char c = *(*at)++;
  if (c == '(') {
    struct node *inner = parse_choice(at, arena);
    ++*at;
    return inner;
  }
  if (c == '-')
    return new_node(arena, NEGATE, 0, parse_primary(at, arena), NULL);
  if (c >= 'a' && c <= 'z')
    return new_node(arena, VARIABLE, c - 'a', NULL, NULL);
  int64_t value = c - '0';
  while (**at >= '0' && **at <= '9')
    value = value * 10 + (*(*at)++ - '0');
  return new_node(arena, NUMBER, value, NULL, NULL);
}

static struct node *parse_product(const char **at, struct arena *arena) {
  struct node *left = parse_primary(at, arena);
  while (**at == '*' || **at == '/') {
    enum kind kind = *(*at)++ == '*' ? MULTIPLY : DIVIDE;
    left = new_node(arena, kind, 0, left, parse_primary(at, arena));
  }
  return left;
}

static struct node *parse_sum(const char **at, struct arena *arena) {
  struct node *left = parse_product(at, arena);
  while (**at == '+' || **at == '-') {
    enum kind kind = *(*at)++ == '+' ? ADD : SUBTRACT;
    left = new_node(arena, kind, 0, left, parse_product(at, arena));
  }
  return left;
}

static struct node *parse_choice(const char **at, struct arena *arena) {
  struct node *condition = parse_sum(at, arena);
  if (**at != '?')
    return condition;
  ++*at;
  struct node *yes = parse_choice(at, arena);
  ++*at; // the colon
  struct node *node = new_node(arena, CHOOSE, 0, condition, yes);
  node->c = parse_choice(at, arena);
  return node;
}

// Arithmetic modulo a prime: no overflow, and division that is exact or by zero, which gives zero.
enum { MODULUS = 1000003 };

static int64_t apply(enum kind kind, int64_t a, int64_t b) {
  switch (kind) {
  case ADD:
    return (a + b) % MODULUS;
  case SUBTRACT:
    return (a - b + MODULUS) % MODULUS;
  case MULTIPLY:
    return a * b % MODULUS;
  case DIVIDE:
    return b ? a / b : 0;
  default:
    return (MODULUS - a) % MODULUS;
  }
}

static int64_t evaluate(const struct node *node, const int64_t *variables) {
  switch (node->kind) {
  case NUMBER:
    return node->value % MODULUS;
  case VARIABLE:
    return variables[node->value];
  case CHOOSE:
    return evaluate(evaluate(node->a, variables) % 2 ? node->b : node->c, variables);
  case NEGATE:
    return apply(NEGATE, evaluate(node->a, variables), 0);
  default: {
    int64_t a = evaluate(node->a, variables);
    return apply(node->kind, a, evaluate(node->b, variables));
  }
  }
}

// Whole subtrees of numbers become one number, in place; returns how many nodes were saved.
static int fold(struct node *node) {
  int saved = (node->a ? fold(node->a) : 0) + (node->b ? fold(node->b) : 0) + (node->c ? fold(node->c) : 0);
  if (node->kind >= NEGATE && node->kind < CHOOSE && node->a->kind == NUMBER && (!node->b || node->b->kind == NUMBER)) {
    node->value = apply(node->kind, node->a->value % MODULUS, node->b ? node->b->value % MODULUS : 0);
    saved += 1 + (node->b != NULL);
    node->kind = NUMBER;
    node->a = node->b = NULL;
  }
  return saved;
}

static char *write_random(char *to, int depth, uint64_t *seed) {
  uint32_t choice = depth > 0 ? random_below(seed, 10) : random_below(seed, 2);
  if (choice == 0)
    return to + sprintf(to, "%d", (int)random_below(seed, 5000));
  if (choice == 1) {
    *to++ = (char)('a' + random_below(seed, 26));
    return to;
  }
  *to++ = '(';
  to = write_random(to, depth - 1, seed);
  if (choice == 2) {
    *to++ = '?';
    to = write_random(to, depth - 1, seed);
    *to++ = ':';
  } else {
    *to++ = "+-*/*+-+"[choice - 2];
  }
  to = write_random(to, depth - 1, seed);
  *to++ = ')';
  return to;
}

int main(int argc, char **argv) {
  enum { TEXT_SIZE = 1 << 18, N_POINTS = 8 };
  int n = argument(argc, argv, 1), n_saved = 0;
  size_t n_nodes = 0;
  char *text = (char *)allocate(TEXT_SIZE, 1);
  struct arena arena = {(struct node *)allocate(TEXT_SIZE, sizeof(struct node)), 0, TEXT_SIZE};
  uint64_t seed = 1, hash = 0;
  int64_t variables[26], value = 0;
  for (int i = 0; i < n; i++) {
    *write_random(text, 9, &seed) = 0;
    const char *at = text;
    arena.used = 0;
    struct node *tree = parse_choice(&at, &arena);
    n_nodes += arena.used;
    n_saved += fold(tree);
    for (int point = 0; point < N_POINTS; point++) {
      for (int v = 0; v < 26; v++)
        variables[v] = (v * 7919 + point * 104729 + i) % MODULUS;
      value = evaluate(tree, variables);
      hash = mix(hash, (uint64_t)value);
    }
  }
  printf("nodes %zu saved %d last %" PRId64 " values %016" PRIx64 "\n", n_nodes, n_saved, value, hash);
  free(text);
  free(arena.nodes);
}
