// One pass, no tree: each rule emits its code when it has read its text. Variables are the letters a to z, functions A to
// Z without parameters, [x] is a word of memory, statements end with a semicolon.
#include "../program.h"
#include "vm.h"

struct compiler {
  const char *at;
  struct code *code;
};

static void emit(struct compiler *c, int32_t word) {
  if (c->code->size == MAX_CODE)
    exit(3);
  c->code->words[c->code->size++] = word;
}

static char peek(struct compiler *c) {
  while (*c->at == ' ' || *c->at == '\n')
    c->at++;
  return *c->at;
}

static int accept(struct compiler *c, char wanted) {
  if (peek(c) != wanted)
    return 0;
  c->at++;
  return 1;
}

static void expression(struct compiler *c);

static void primary(struct compiler *c) {
  char first = peek(c);
  c->at++;
  if (first == '(') {
    expression(c);
    accept(c, ')');
  } else if (first == '[') {
    expression(c);
    accept(c, ']');
    emit(c, LOAD_INDEXED);
  } else if (first >= 'a' && first <= 'z') {
    emit(c, LOAD);
    emit(c, first - 'a');
  } else if (first >= 'A' && first <= 'Z') {
    emit(c, CALL);
    emit(c, first - 'A');
  } else {
    int32_t number = first - '0';
    while (*c->at >= '0' && *c->at <= '9')
      number = number * 10 + (*c->at++ - '0');
    emit(c, PUSH);
    emit(c, number);
  }
}

// All operators of a level, from the left; the lowest level is 0.
static void binary(struct compiler *c, int level) {
  static const char operators[4][3] = {"&", "<=", "+-", "*%"};
  static const enum operation operations[4][2] = {{AND}, {LESS, EQUAL}, {ADD, SUBTRACT}, {MULTIPLY, REMAINDER}};
  if (level == 4) {
    primary(c);
    return;
  }
  binary(c, level + 1);
  for (const char *found; peek(c) && (found = strchr(operators[level], peek(c)));) {
    c->at++;
    binary(c, level + 1);
    emit(c, (int32_t)operations[level][found - operators[level]]);
  }
}

static void expression(struct compiler *c) { binary(c, 0); }

static int emit_jump(struct compiler *c, enum operation operation) {
  emit(c, (int32_t)operation);
  emit(c, 0);
  return c->code->size - 1;
}

static void statement(struct compiler *c) {
  if (accept(c, '{')) {
    while (!accept(c, '}'))
      statement(c);
  } else if (accept(c, '?')) { // ? condition statement
    expression(c);
    int skip = emit_jump(c, JUMP_IF_ZERO);
    statement(c);
    c->code->words[skip] = c->code->size;
  } else if (accept(c, '@')) { // @ condition statement: as long as it holds
    int start = c->code->size;
    expression(c);
    int leave = emit_jump(c, JUMP_IF_ZERO);
    statement(c);
    c->code->words[emit_jump(c, JUMP)] = start;
    c->code->words[leave] = c->code->size;
  } else if (accept(c, '!')) { // ! expression: prints it
    expression(c);
    emit(c, PRINT);
    accept(c, ';');
  } else if (accept(c, '^')) { // ^ expression: returns it
    expression(c);
    emit(c, RETURN);
    accept(c, ';');
  } else if (accept(c, '[')) {
    expression(c);
    accept(c, ']');
    accept(c, ':');
    expression(c);
    emit(c, STORE_INDEXED);
    accept(c, ';');
  } else {
    char name = peek(c);
    c->at++;
    if (name >= 'A' && name <= 'Z') { // called for what it does
      emit(c, CALL);
      emit(c, name - 'A');
      emit(c, DROP);
    } else {
      accept(c, ':');
      expression(c);
      emit(c, STORE);
      emit(c, name - 'a');
    }
    accept(c, ';');
  }
}

void compile(const char *source, struct code *code) {
  struct compiler c = {source, code};
  code->size = 0;
  int start = emit_jump(&c, JUMP);
  while (accept(&c, '#')) { // # F statement: a function
    code->function_start[peek(&c) - 'A'] = code->size;
    c.at++;
    // Called functions are found by their number when they run, so the order does not matter.
    statement(&c);
    emit(&c, PUSH);
    emit(&c, 0);
    emit(&c, RETURN);
  }
  code->words[start] = code->size;
  while (peek(&c))
    statement(&c);
  emit(&c, STOP);
}
