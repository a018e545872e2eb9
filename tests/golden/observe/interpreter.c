// -O2
// A stack machine: one big switch in a loop.
#include <stdint.h>

enum opcode { PUSH, ADD, SUB, MUL, LESS, JUMP, JUMP_IF_ZERO, LOAD, STORE, CALL, RETURN, PRINT, HALT };

struct machine {
  const uint8_t *code;
  int64_t stack[256];
  int64_t globals[64];
  uint32_t calls[64];
  void (*print)(int64_t);
};

int64_t execute(struct machine *machine) {
  const uint8_t *code = machine->code;
  uint32_t at = 0, top = 0, depth = 0;
  for (;;) {
    switch ((enum opcode)code[at++]) {
    case PUSH:
      machine->stack[top++] = (int8_t)code[at++];
      break;
    case ADD:
      top--;
      machine->stack[top - 1] += machine->stack[top];
      break;
    case SUB:
      top--;
      machine->stack[top - 1] -= machine->stack[top];
      break;
    case MUL:
      top--;
      machine->stack[top - 1] *= machine->stack[top];
      break;
    case LESS:
      top--;
      machine->stack[top - 1] = machine->stack[top - 1] < machine->stack[top];
      break;
    case JUMP:
      at += (int8_t)code[at];
      break;
    case JUMP_IF_ZERO:
      at += machine->stack[--top] ? 1 : (int8_t)code[at];
      break;
    case LOAD:
      machine->stack[top++] = machine->globals[code[at++] & 63];
      break;
    case STORE:
      machine->globals[code[at++] & 63] = machine->stack[--top];
      break;
    case CALL:
      machine->calls[depth++ & 63] = at + 1;
      at = code[at];
      break;
    case RETURN:
      at = machine->calls[--depth & 63];
      break;
    case PRINT:
      machine->print(machine->stack[--top]);
      break;
    case HALT:
      return top ? machine->stack[top - 1] : 0;
    }
  }
}
