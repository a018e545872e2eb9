// Reads a table of comma-separated values, with quotes, and sums its columns by group.
#include "../program.h"

enum { MAX_FIELDS = 16, N_GROUPS = 64 };

struct field {
  const char *text;
  size_t size;
};

// Splits the line that begins at *at; fields without quotes stay in place, the others are copied to `spare`.
static int split_line(const char **at, const char *end, struct field *fields, char *spare) {
  const char *c = *at;
  int n = 0;
  for (;;) {
    struct field field = {c, 0};
    if (c < end && *c == '"') {
      char *start = spare;
      for (c++; c < end && !(*c == '"' && (c + 1 == end || c[1] != '"')); c++) {
        *spare++ = *c;
        if (*c == '"')
          c++;
      }
      field = (struct field){start, (size_t)(spare - start)};
      c++;
    } else {
      while (c < end && *c != ',' && *c != '\n')
        c++;
      field.size = (size_t)(c - field.text);
    }
    if (n < MAX_FIELDS)
      fields[n++] = field;
    if (c >= end || *c == '\n')
      break;
    c++;
  }
  *at = c < end ? c + 1 : end;
  return n;
}

// In hundredths, so that sums are exact.
static int64_t parse_hundredths(struct field field) {
  int64_t value = 0;
  size_t i = field.size && field.text[0] == '-', after = 0;
  int negative = (int)i, seen = 0;
  for (; i < field.size; i++) {
    if (field.text[i] == '.') {
      seen = 1;
    } else {
      value = value * 10 + (field.text[i] - '0');
      after += (size_t)seen;
    }
  }
  for (; after < 2; after++)
    value *= 10;
  return negative ? -value : value;
}

struct group {
  char name[24];
  int64_t n_rows, sum, largest;
};

static struct group *find_group(struct group *groups, int *n_groups, struct field name) {
  for (int i = 0; i < *n_groups; i++)
    if (strlen(groups[i].name) == name.size && memcmp(groups[i].name, name.text, name.size) == 0)
      return &groups[i];
  struct group *group = &groups[(*n_groups)++];
  memset(group, 0, sizeof *group);
  memcpy(group->name, name.text, name.size < sizeof group->name - 1 ? name.size : sizeof group->name - 1);
  return group;
}

static char *make_text(int n_rows, size_t *size) {
  static const char *cities[] = {"Oslo", "\"Rio de \"\"Janeiro\"\"\"", "Ulm", "\"Paris, Texas\"", "Kyoto", "Aachen"};
  size_t capacity = (size_t)n_rows * 80 + 100;
  char *text = (char *)allocate(capacity, 1);
  uint64_t seed = 1;
  *size = (size_t)snprintf(text, capacity, "id,city,amount,note\n");
  for (int i = 0; i < n_rows; i++)
    *size += (size_t)snprintf(text + *size, capacity - *size, "%d,%s,%s%d.%d%d,\"line %d\nof many\"\n", i,
                              cities[random_below(&seed, 6)], random_below(&seed, 4) ? "" : "-",
                              (int)random_below(&seed, 10000), (int)random_below(&seed, 10),
                              (int)random_below(&seed, 10), i % 7);
  return text;
}

int main(int argc, char **argv) {
  size_t size;
  char *text = make_text(argument(argc, argv, 1), &size), spare[256];
  const char *at = text, *end = text + size;
  struct field fields[MAX_FIELDS];
  struct group groups[N_GROUPS];
  int n_groups = 0, n_columns = split_line(&at, end, fields, spare);
  uint64_t notes = 0;
  while (at < end) {
    if (split_line(&at, end, fields, spare) != n_columns)
      return 1;
    struct group *group = find_group(groups, &n_groups, fields[1]);
    int64_t amount = parse_hundredths(fields[2]);
    group->n_rows++;
    group->sum += amount;
    group->largest = amount > group->largest ? amount : group->largest;
    notes = mix_bytes(notes, fields[3].text, fields[3].size);
  }
  for (int i = 0; i < n_groups; i++)
    printf("%s: %" PRId64 " rows, %" PRId64 " hundredths, largest %" PRId64 "\n", groups[i].name, groups[i].n_rows,
           groups[i].sum, groups[i].largest);
  printf("notes %016" PRIx64 "\n", notes);
  free(text);
}
