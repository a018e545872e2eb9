// Parses a made-up document with namespaces, attributes, entities and comments, in pieces, and counts what is in it.
#include "../../programs/program.h"
#include "expat.h"

struct counts {
  uint64_t hash;
  long n_elements, n_attributes, n_characters, n_comments;
  int depth, deepest;
};

static void start(void *data, const char *name, const char **attributes) {
  struct counts *counts = data;
  counts->n_elements++;
  counts->hash = mix_bytes(counts->hash, name, strlen(name));
  for (; *attributes; attributes += 2) {
    counts->n_attributes++;
    counts->hash = mix_bytes(counts->hash, attributes[1], strlen(attributes[1]));
  }
  if (++counts->depth > counts->deepest)
    counts->deepest = counts->depth;
}

static void end(void *data, const char *name) {
  (void)name;
  ((struct counts *)data)->depth--;
}

static void text(void *data, const char *characters, int n) {
  struct counts *counts = data;
  counts->n_characters += n;
  for (int i = 0; i < n; i++) // one by one: where the text is cut does not matter
    counts->hash = mix(counts->hash, (unsigned char)characters[i]);
}

static void comment(void *data, const char *characters) {
  (void)characters;
  ((struct counts *)data)->n_comments++;
}

static size_t make_document(char *to, size_t capacity, int n) {
  size_t size = (size_t)snprintf(to, capacity, "<?xml version=\"1.0\"?>\n<!DOCTYPE list [<!ENTITY firm \"Smith &amp; Sons\">]>\n"
                                               "<list xmlns=\"urn:a\" xmlns:b=\"urn:b\">\n");
  uint64_t seed = 1;
  for (int i = 0; i < n; i++) {
    unsigned price = random_below(&seed, 10000), kind = random_below(&seed, 4);
    size += (size_t)snprintf(to + size, capacity - size, "  <b:item number=\"%d\" price='%u.%02u' note=\"a &lt; b &#65;\">", i,
                             price / 100, price % 100);
    if (kind == 0)
      size += (size_t)snprintf(to + size, capacity - size, "<!-- nothing to see --><![CDATA[ if (a < b) && c ]]>");
    else if (kind == 1)
      size += (size_t)snprintf(to + size, capacity - size, "<name>&firm; of Z\xc3\xbcrich</name><empty/>");
    else
      size += (size_t)snprintf(to + size, capacity - size, "<p>Some text with <em>markup</em> that is %u words long.</p>\n",
                               price);
    size += (size_t)snprintf(to + size, capacity - size, "</b:item>\n");
  }
  return size + (size_t)snprintf(to + size, capacity - size, "</list>\n");
}

int main(int argc, char **argv) {
  int n = argument(argc, argv, 1);
  size_t capacity = (size_t)n * 200 + 300;
  char *document = (char *)allocate(capacity, 1);
  size_t size = make_document(document, capacity, n);
  for (int round = 0; round < 2; round++) {
    struct counts counts = {0};
    XML_Parser parser = round ? XML_ParserCreateNS(NULL, '|') : XML_ParserCreate(NULL);
    size_t piece = round ? 4096 : size;
    XML_SetUserData(parser, &counts);
    XML_SetElementHandler(parser, start, end);
    XML_SetCharacterDataHandler(parser, text);
    XML_SetCommentHandler(parser, comment);
    for (size_t i = 0; i < size; i += piece) {
      size_t here = size - i < piece ? size - i : piece;
      if (XML_Parse(parser, document + i, (int)here, i + here == size) != XML_STATUS_OK) {
        printf("%s\n", XML_ErrorString(XML_GetErrorCode(parser)));
        return 1;
      }
    }
    XML_ParserFree(parser);
    printf("elements %ld attributes %ld characters %ld comments %ld deepest %d %016" PRIx64 "\n", counts.n_elements,
           counts.n_attributes, counts.n_characters, counts.n_comments, counts.deepest, counts.hash);
  }
  free(document);
}
