// Builds JSON text of made-up records, parses it, asks it for fields, prints it, and parses that again.
#include "../program.h"
#include "json.h"

static char *make_text(int n_records) {
  static const char *names[] = {"Ada", "Grace \\\"Hopper\\\"", "J\\u00fcrgen", "Edsger\\nDijkstra", "Barbara"};
  size_t capacity = (size_t)n_records * 200 + 16, size = 0;
  char *text = (char *)allocate(capacity, 1);
  uint64_t seed = 1;
  text[size++] = '[';
  for (int i = 0; i < n_records; i++) {
    size += (size_t)snprintf(text + size, capacity - size,
                             "%s{\"id\": %d, \"name\": \"%s\", \"score\": %d.%02d, \"active\": %s,\n  \"tags\": [%d, %d, "
                             "null], \"place\": {\"x\": -%d, \"y\": 1.5e%d}}",
                             i ? ",\n" : "", i, names[random_below(&seed, 5)], (int)random_below(&seed, 100),
                             (int)random_below(&seed, 100), random_below(&seed, 2) ? "true" : "false",
                             (int)random_below(&seed, 1000), (int)random_below(&seed, 100000),
                             (int)random_below(&seed, 90), (int)random_below(&seed, 6));
  }
  text[size] = ']';
  return text;
}

int main(int argc, char **argv) {
  char *text = make_text(argument(argc, argv, 1));
  size_t position;
  struct value *document = json_parse(text, &position);
  struct output output = {NULL, 0, 0}, again = {NULL, 0, 0};
  if (!document) {
    printf("no JSON at %zu\n", position);
    return 1;
  }
  double total = 0;
  int n_active = 0;
  for (const struct value *record = document->first; record; record = record->next) {
    total += json_member(record, "score")->number + json_member(json_member(record, "place"), "y")->number;
    n_active += json_member(record, "active")->kind == JSON_TRUE;
  }
  json_print(document, &output);
  struct value *copy = json_parse(output.text, &position);
  json_print(copy, &again);
  printf("text %zu total %.17g active %d\n", strlen(text), total, n_active);
  printf("printed %zu %016" PRIx64 " %s\n", output.size, mix_bytes(0, output.text, output.size),
         output.size == again.size && memcmp(output.text, again.text, again.size) == 0 ? "same" : "other");
  text[strlen(text) / 2] = '}';
  struct value *damaged = json_parse(text, &position);
  printf("damaged: %s at %zu\n", damaged ? "accepted" : "refused", position);
  json_free(damaged);
  json_free(document);
  json_free(copy);
  free(output.text);
  free(again.text);
  free(text);
}
