// Base64 with lines of 76 characters, strict decoding, and hexadecimal digits for comparison.
#include "../program.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static signed char value_of[256];

static void make_values(void) {
  memset(value_of, -1, sizeof value_of);
  for (int i = 0; i < 64; i++)
    value_of[(unsigned char)alphabet[i]] = (signed char)i;
}

static size_t encode(const unsigned char *data, size_t size, char *text) {
  size_t n = 0, column = 0, i = 0;
  for (; i + 3 <= size; i += 3) {
    uint32_t group = (uint32_t)data[i] << 16 | (uint32_t)data[i + 1] << 8 | data[i + 2];
    text[n++] = alphabet[group >> 18];
    text[n++] = alphabet[group >> 12 & 63];
    text[n++] = alphabet[group >> 6 & 63];
    text[n++] = alphabet[group & 63];
    if ((column += 4) == 76) {
      text[n++] = '\n';
      column = 0;
    }
  }
  if (i < size) {
    int two = size - i == 2;
    uint32_t group = (uint32_t)data[i] << 16 | (two ? (uint32_t)data[i + 1] << 8 : 0);
    text[n++] = alphabet[group >> 18];
    text[n++] = alphabet[group >> 12 & 63];
    text[n++] = two ? alphabet[group >> 6 & 63] : '=';
    text[n++] = '=';
  }
  return n;
}

// Returns the number of bytes, or (size_t)-1 if the text is not Base64.
static size_t decode(const char *text, size_t length, unsigned char *data) {
  uint32_t group = 0;
  size_t n = 0;
  int n_digits = 0, n_padding = 0;
  for (size_t i = 0; i < length; i++) {
    if (text[i] == '\n')
      continue;
    int value = value_of[(unsigned char)text[i]];
    if (text[i] == '=' && n_digits >= 2) {
      n_padding++;
      value = 0;
    } else if (value < 0 || n_padding > 0) {
      return (size_t)-1;
    }
    group = group << 6 | (uint32_t)value;
    if (++n_digits == 4) {
      for (int k = 0; k < 3 - n_padding; k++)
        data[n++] = (unsigned char)(group >> (16 - 8 * k));
      n_digits = 0;
      group = 0;
    }
  }
  return n_digits == 0 ? n : (size_t)-1;
}

static size_t to_hexadecimal(const unsigned char *data, size_t size, char *text) {
  for (size_t i = 0; i < size; i++) {
    text[2 * i] = "0123456789abcdef"[data[i] >> 4];
    text[2 * i + 1] = "0123456789abcdef"[data[i] & 15];
  }
  return 2 * size;
}

int main(int argc, char **argv) {
  size_t size = (size_t)argument(argc, argv, 1) * 1000 + 1;
  unsigned char *data = (unsigned char *)allocate(size, 1), *decoded = (unsigned char *)allocate(size + 3, 1);
  char *text = (char *)allocate(2 * size, 1);
  uint64_t seed = 1;
  for (size_t i = 0; i < size; i++)
    data[i] = (unsigned char)next_random(&seed);
  make_values();
  size_t length = encode(data, size, text), decoded_size = decode(text, length, decoded);
  printf("text %zu %016" PRIx64 " %.20s\n", length, mix_bytes(0, text, length), text);
  printf("decoded %zu %s\n", decoded_size, decoded_size == size && memcmp(data, decoded, size) == 0 ? "same" : "other");
  text[length / 2] = '!';
  printf("damaged: %s\n", decode(text, length, decoded) == (size_t)-1 ? "refused" : "accepted");
  length = to_hexadecimal(data, size, text);
  printf("hexadecimal %016" PRIx64 "\n", mix_bytes(0, text, length));
  free(data);
  free(decoded);
  free(text);
}
