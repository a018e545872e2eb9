#include "json.h"
#include "../program.h"

struct parser {
  const char *start, *at;
  int depth;
};

enum { MAX_DEPTH = 200 };

static struct value *parse_value(struct parser *parser);

static void skip_space(struct parser *parser) {
  while (*parser->at == ' ' || *parser->at == '\n' || *parser->at == '\t' || *parser->at == '\r')
    parser->at++;
}

static struct value *new_value(enum kind kind) {
  struct value *value = (struct value *)allocate(1, sizeof *value);
  value->kind = kind;
  return value;
}

static int hexadecimal(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  c |= 32;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Four digits of a code point below 0x10000; -1 if they are not digits.
static int parse_code(struct parser *parser) {
  int code = 0;
  for (int i = 0; i < 4; i++) {
    int digit = hexadecimal(*parser->at);
    if (digit < 0)
      return -1;
    code = code * 16 + digit;
    parser->at++;
  }
  return code;
}

static char *put_code(char *to, int code) {
  if (code < 0x80) {
    *to++ = (char)code;
  } else if (code < 0x800) {
    *to++ = (char)(0xc0 | code >> 6);
    *to++ = (char)(0x80 | (code & 63));
  } else {
    *to++ = (char)(0xe0 | code >> 12);
    *to++ = (char)(0x80 | (code >> 6 & 63));
    *to++ = (char)(0x80 | (code & 63));
  }
  return to;
}

static char *parse_string(struct parser *parser) {
  static const char escapes[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
  size_t length = 0;
  for (const char *c = ++parser->at; *c && *c != '"'; c++, length++)
    if (*c == '\\' && c[1])
      c++;
  char *text = (char *)allocate(3 * length + 1, 1), *to = text; // an escape is no longer than six characters
  while (*parser->at && *parser->at != '"') {
    if (*parser->at != '\\') {
      *to++ = *parser->at++;
      continue;
    }
    char escape = *++parser->at;
    const char *known = escapes;
    while (*known && *known != escape)
      known += 2;
    if (*known) {
      *to++ = known[1];
      parser->at++;
      continue;
    }
    int code = -1;
    if (escape == 'u') {
      parser->at++;
      code = parse_code(parser);
    }
    if (code < 0) {
      free(text);
      return NULL;
    }
    to = put_code(to, code);
  }
  if (*parser->at != '"') {
    free(text);
    return NULL;
  }
  parser->at++;
  return text;
}

static struct value *parse_number(struct parser *parser) {
  const char *at = parser->at;
  double sign = 1, number = 0, scale = 1;
  if (*at == '-') {
    sign = -1;
    at++;
  }
  if (*at < '0' || *at > '9')
    return NULL;
  for (; *at >= '0' && *at <= '9'; at++)
    number = number * 10 + (*at - '0');
  if (*at == '.')
    for (at++; *at >= '0' && *at <= '9'; at++) {
      number = number * 10 + (*at - '0');
      scale *= 10;
    }
  if (*at == 'e' || *at == 'E') {
    int negative = at[1] == '-', exponent = 0;
    at += 1 + (at[1] == '-' || at[1] == '+');
    for (; *at >= '0' && *at <= '9' && exponent < 300; at++)
      exponent = exponent * 10 + (*at - '0');
    for (; exponent > 0; exponent--)
      if (negative)
        scale *= 10;
      else
        number *= 10;
  }
  parser->at = at;
  struct value *value = new_value(JSON_NUMBER);
  value->number = sign * number / scale;
  return value;
}

static struct value *parse_members(struct parser *parser, enum kind kind, char end) {
  struct value *value = new_value(kind), **last = &value->first;
  parser->at++;
  skip_space(parser);
  if (*parser->at == end) {
    parser->at++;
    return value;
  }
  for (;;) {
    char *key = NULL;
    skip_space(parser);
    if (kind == JSON_OBJECT) {
      key = *parser->at == '"' ? parse_string(parser) : NULL;
      skip_space(parser);
      if (!key || *parser->at != ':') {
        free(key);
        break;
      }
      parser->at++;
    }
    struct value *member = parse_value(parser);
    if (!member) {
      free(key);
      break;
    }
    member->key = key;
    *last = member;
    last = &member->next;
    skip_space(parser);
    if (*parser->at == end) {
      parser->at++;
      return value;
    }
    if (*parser->at != ',')
      break;
    parser->at++;
  }
  json_free(value);
  return NULL;
}

static struct value *parse_word(struct parser *parser) {
  static const char *const words[] = {[JSON_NULL] = "null", [JSON_FALSE] = "false", [JSON_TRUE] = "true"};
  for (int kind = JSON_NULL; kind <= JSON_TRUE; kind++) {
    size_t length = strlen(words[kind]);
    if (strncmp(parser->at, words[kind], length) == 0) {
      parser->at += length;
      return new_value((enum kind)kind);
    }
  }
  return NULL;
}

static struct value *parse_value(struct parser *parser) {
  struct value *value = NULL;
  if (++parser->depth <= MAX_DEPTH) {
    skip_space(parser);
    switch (*parser->at) {
    case '{':
      value = parse_members(parser, JSON_OBJECT, '}');
      break;
    case '[':
      value = parse_members(parser, JSON_ARRAY, ']');
      break;
    case '"': {
      char *text = parse_string(parser);
      if (text) {
        value = new_value(JSON_STRING);
        value->text = text;
      }
      break;
    }
    case 't':
    case 'f':
    case 'n':
      value = parse_word(parser);
      break;
    default:
      value = parse_number(parser);
    }
  }
  parser->depth--;
  return value;
}

struct value *json_parse(const char *text, size_t *position) {
  struct parser parser = {text, text, 0};
  struct value *value = parse_value(&parser);
  skip_space(&parser);
  if (value && *parser.at) {
    json_free(value);
    value = NULL;
  }
  *position = (size_t)(parser.at - text);
  return value;
}

void json_free(struct value *value) {
  while (value) {
    struct value *next = value->next;
    json_free(value->first);
    free(value->text);
    free(value->key);
    free(value);
    value = next;
  }
}
