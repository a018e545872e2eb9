#include "../program.h"
#include "vm.h"

enum { STACK_SIZE = 4096 };

void run(const struct code *code, struct machine *machine) {
  int64_t stack[STACK_SIZE], *top = stack; // one above the topmost
  int32_t returns[STACK_SIZE];
  int depth = 0;
  const int32_t *at = code->words;
  uint64_t n_steps = 0;
  for (;; n_steps++) {
    if (top > stack + STACK_SIZE - 4 || depth == STACK_SIZE)
      exit(3);
    switch ((enum operation)*at++) {
    case PUSH:
      *top++ = *at++;
      break;
    case LOAD:
      *top++ = machine->globals[*at++];
      break;
    case STORE:
      machine->globals[*at++] = *--top;
      break;
    case LOAD_INDEXED:
      top[-1] = machine->memory[top[-1] & (MEMORY_WORDS - 1)];
      break;
    case STORE_INDEXED:
      top -= 2;
      machine->memory[top[0] & (MEMORY_WORDS - 1)] = top[1];
      break;
    case ADD: // of two's complement, without overflow
      top--;
      top[-1] = (int64_t)((uint64_t)top[-1] + (uint64_t)top[0]);
      break;
    case SUBTRACT:
      top--;
      top[-1] = (int64_t)((uint64_t)top[-1] - (uint64_t)top[0]);
      break;
    case MULTIPLY:
      top--;
      top[-1] = (int64_t)((uint64_t)top[-1] * (uint64_t)top[0]);
      break;
    case REMAINDER:
      top--;
      top[-1] = top[0] > 0 ? top[-1] % top[0] : 0;
      break;
    case LESS:
      top--;
      top[-1] = top[-1] < top[0];
      break;
    case EQUAL:
      top--;
      top[-1] = top[-1] == top[0];
      break;
    case AND:
      top--;
      top[-1] = top[-1] & top[0];
      break;
    case JUMP:
      at = code->words + *at;
      break;
    case JUMP_IF_ZERO:
      at = *--top == 0 ? code->words + *at : at + 1;
      break;
    case CALL:
      returns[depth++] = (int32_t)(at + 1 - code->words);
      at = code->words + code->function_start[*at];
      break;
    case RETURN:
      at = code->words + returns[--depth];
      break;
    case DROP:
      top--;
      break;
    case PRINT:
      machine->output = mix(machine->output, (uint64_t)*--top);
      break;
    case STOP:
      machine->n_steps = n_steps;
      return;
    }
  }
}
