// A small language (compile.c) on a stack machine (run.c).
#ifndef VM_H
#define VM_H
#include <stdint.h>

enum operation {
  PUSH, LOAD, STORE, LOAD_INDEXED, STORE_INDEXED, ADD, SUBTRACT, MULTIPLY, REMAINDER, LESS, EQUAL, AND, JUMP,
  JUMP_IF_ZERO, CALL, RETURN, DROP, PRINT, STOP
};

enum { MAX_CODE = 2048, N_GLOBALS = 26, MEMORY_WORDS = 1 << 16 };

struct code {
  int32_t words[MAX_CODE];
  int size, function_start[26];
};

// The source must be right: the programs that are run here are ours.
void compile(const char *source, struct code *code);

struct machine {
  int64_t globals[N_GLOBALS], *memory;
  uint64_t n_steps, output; // output: a checksum of what was printed
};

void run(const struct code *code, struct machine *machine);

#endif
