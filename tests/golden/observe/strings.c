// -O2
// Loops over characters: escaping, trimming, and a search that ignores case.
#include <stddef.h>

static char lower(char letter) { return letter >= 'A' && letter <= 'Z' ? (char)(letter + ('a' - 'A')) : letter; }

void lower_all(char *text, size_t length) {
  for (size_t index = 0; index < length; index++)
    text[index] = lower(text[index]);
}

size_t escape(const char *text, char *out, size_t room) {
  size_t used = 0;
  for (; *text && used + 2 < room; text++) {
    switch (*text) {
    case '\n':
      out[used++] = '\\';
      out[used++] = 'n';
      break;
    case '"':
    case '\\':
      out[used++] = '\\';
      out[used++] = *text;
      break;
    default:
      out[used++] = *text;
    }
  }
  out[used] = '\0';
  return used;
}

const char *find_ignoring_case(const char *text, const char *word) {
  for (; *text; text++) {
    size_t length = 0;
    while (word[length] && lower(text[length]) == lower(word[length]))
      length++;
    if (!word[length])
      return text;
  }
  return NULL;
}

static int is_space(char letter) { return letter == ' ' || (letter >= '\t' && letter <= '\r'); }

size_t count_words(const char *text) {
  size_t words = 0;
  int inside = 0;
  while (*text) {
    int space = is_space(*text++);
    words += !space && !inside;
    inside = !space;
  }
  return words;
}
