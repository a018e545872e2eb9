#include "../program.h"
#include "json.h"

static void put(struct output *output, const char *text, size_t size) {
  if (output->size + size + 1 > output->capacity) {
    size_t capacity = 2 * output->capacity + size + 64;
    char *larger = (char *)allocate(capacity, 1);
    if (output->size)
      memcpy(larger, output->text, output->size);
    free(output->text);
    output->text = larger;
    output->capacity = capacity;
  }
  memcpy(output->text + output->size, text, size);
  output->size += size;
  output->text[output->size] = 0;
}

static void print_string(const char *text, struct output *output) {
  put(output, "\"", 1);
  const char *from = text;
  for (; *text; text++) {
    const char *escape = *text == '"' ? "\\\"" : *text == '\\' ? "\\\\" : *text == '\n' ? "\\n" : NULL;
    if (escape) {
      put(output, from, (size_t)(text - from));
      put(output, escape, 2);
      from = text + 1;
    }
  }
  put(output, from, (size_t)(text - from));
  put(output, "\"", 1);
}

static void print_number(double number, struct output *output) {
  char digits[32];
  // Most numbers are whole; those are printed without the C library's help.
  if (number >= 0 && number < 1e9 && number == (double)(unsigned)number) {
    unsigned rest = (unsigned)number;
    int at = (int)sizeof digits;
    do
      digits[--at] = (char)('0' + rest % 10);
    while (rest /= 10);
    put(output, digits + at, sizeof digits - (size_t)at);
  } else {
    put(output, digits, (size_t)snprintf(digits, sizeof digits, "%.17g", number));
  }
}

void json_print(const struct value *value, struct output *output) {
  switch (value->kind) {
  case JSON_NULL:
    put(output, "null", 4);
    break;
  case JSON_FALSE:
    put(output, "false", 5);
    break;
  case JSON_TRUE:
    put(output, "true", 4);
    break;
  case JSON_NUMBER:
    print_number(value->number, output);
    break;
  case JSON_STRING:
    print_string(value->text, output);
    break;
  case JSON_ARRAY:
  case JSON_OBJECT:
    put(output, value->kind == JSON_ARRAY ? "[" : "{", 1);
    for (const struct value *member = value->first; member; member = member->next) {
      if (member != value->first)
        put(output, ",", 1);
      if (member->key) {
        print_string(member->key, output);
        put(output, ":", 1);
      }
      json_print(member, output);
    }
    put(output, value->kind == JSON_ARRAY ? "]" : "}", 1);
  }
}

const struct value *json_member(const struct value *object, const char *key) {
  for (const struct value *member = object->first; member; member = member->next)
    if (strcmp(member->key, key) == 0)
      return member;
  return NULL;
}
