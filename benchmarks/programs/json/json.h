// JSON documents as trees: parse.c makes them of text, print.c makes text of them.
#ifndef JSON_H
#define JSON_H
#include <stddef.h>

enum kind { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct value {
  enum kind kind;
  double number;
  char *text;          // of a string
  char *key;           // of a member of an object
  struct value *first; // of an array or object
  struct value *next;  // in the array or object that this is in
};

// NULL if the text is no JSON; *position is then where it goes wrong.
struct value *json_parse(const char *text, size_t *position);
void json_free(struct value *value);

// Text that grows.
struct output {
  char *text;
  size_t size, capacity;
};
void json_print(const struct value *value, struct output *output);

// The member of an object, or NULL.
const struct value *json_member(const struct value *object, const char *key);

#endif
