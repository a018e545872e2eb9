// Regular expressions with . [a-z] * + ? | and brackets, run as a program on all alternatives at once.
// Source: Thompson, "Regular expression search algorithm", 1968; the program's form follows Pike's.
#ifndef REGEX_H
#define REGEX_H
#include <stddef.h>

enum operation { MATCH_CHARACTER, MATCH_ANY, MATCH_SET, SPLIT, JUMP, ACCEPT };

struct instruction {
  enum operation operation;
  unsigned char character;
  unsigned char set[32]; // one bit for each character
  int x, y;              // where to go on, first choice first
};

enum { MAX_PROGRAM = 256 };

struct regex {
  struct instruction program[MAX_PROGRAM];
  int size;
};

// 0 if the pattern is wrong or too long.
int regex_compile(const char *pattern, struct regex *regex);

// The end of the longest match that begins at the text's start, or NULL.
const char *regex_match(const struct regex *regex, const char *text, const char *end);

#endif
