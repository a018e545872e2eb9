#include "regex.h"
#include <string.h>

struct compiler {
  const char *at;
  struct regex *regex;
  int failed;
};

static int emit(struct compiler *compiler, enum operation operation, int x, int y) {
  struct regex *regex = compiler->regex;
  if (regex->size == MAX_PROGRAM) {
    compiler->failed = 1;
    return 0;
  }
  struct instruction *instruction = &regex->program[regex->size];
  memset(instruction, 0, sizeof *instruction);
  instruction->operation = operation;
  instruction->x = x;
  instruction->y = y;
  return regex->size++;
}

// Makes room for one instruction before the code that begins at `start`, whose targets move along.
static void insert(struct compiler *compiler, int start) {
  struct regex *regex = compiler->regex;
  int end = regex->size;
  emit(compiler, JUMP, 0, 0);
  if (compiler->failed)
    return;
  memmove(&regex->program[start + 1], &regex->program[start], (size_t)(end - start) * sizeof regex->program[0]);
  for (int i = start + 1; i < regex->size; i++) {
    regex->program[i].x += regex->program[i].x >= start;
    regex->program[i].y += regex->program[i].y >= start;
  }
}

static void compile_choice(struct compiler *compiler);

static void compile_set(struct compiler *compiler) {
  int i = emit(compiler, MATCH_SET, 0, 0), negated = *compiler->at == '^';
  unsigned char *set = compiler->regex->program[i].set;
  compiler->at += negated;
  while (*compiler->at && *compiler->at != ']') {
    int first = (unsigned char)*compiler->at++, last = first;
    if (compiler->at[0] == '-' && compiler->at[1] && compiler->at[1] != ']') {
      last = (unsigned char)compiler->at[1];
      compiler->at += 2;
    }
    for (int c = first; c <= last; c++)
      set[c / 8] |= (unsigned char)(1 << c % 8);
  }
  if (*compiler->at == ']')
    compiler->at++;
  else
    compiler->failed = 1;
  for (int k = 0; negated && k < 32; k++)
    set[k] = (unsigned char)~set[k];
}

static void compile_atom(struct compiler *compiler) {
  char c = *compiler->at++;
  if (c == '(') {
    compile_choice(compiler);
    if (*compiler->at == ')')
      compiler->at++;
    else
      compiler->failed = 1;
  } else if (c == '[') {
    compile_set(compiler);
  } else {
    enum operation operation = c == '.' ? MATCH_ANY : MATCH_CHARACTER;
    if (c == '\\' && *compiler->at)
      c = *compiler->at++;
    int i = emit(compiler, operation, 0, 0);
    compiler->regex->program[i].character = (unsigned char)c;
  }
}

static void compile_repeated(struct compiler *compiler) {
  int start = compiler->regex->size;
  compile_atom(compiler);
  for (; *compiler->at && strchr("*+?", *compiler->at) && !compiler->failed; compiler->at++) {
    struct instruction *program = compiler->regex->program;
    if (*compiler->at == '+') {
      emit(compiler, SPLIT, start, compiler->regex->size + 1);
      continue;
    }
    insert(compiler, start);
    if (*compiler->at == '*')
      emit(compiler, JUMP, start, 0);
    program[start].operation = SPLIT;
    program[start].x = start + 1;
    program[start].y = compiler->regex->size;
  }
}

static void compile_choice(struct compiler *compiler) {
  int start = compiler->regex->size;
  while (*compiler->at && *compiler->at != '|' && *compiler->at != ')' && !compiler->failed)
    compile_repeated(compiler);
  if (*compiler->at != '|' || compiler->failed)
    return;
  compiler->at++;
  insert(compiler, start);
  int jump = emit(compiler, JUMP, 0, 0);
  compiler->regex->program[start].operation = SPLIT;
  compiler->regex->program[start].x = start + 1;
  compiler->regex->program[start].y = compiler->regex->size;
  compile_choice(compiler);
  compiler->regex->program[jump].x = compiler->regex->size;
}

int regex_compile(const char *pattern, struct regex *regex) {
  struct compiler compiler = {pattern, regex, 0};
  regex->size = 0;
  compile_choice(&compiler);
  emit(&compiler, ACCEPT, 0, 0);
  return !compiler.failed && *compiler.at == 0;
}
