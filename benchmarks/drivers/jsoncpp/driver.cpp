// Builds a document, writes it compactly and with indentation, reads both again, and changes it.
#include "../../programs/program.h"
#include "json/json.h"
#include <memory>
#include <string>

static Json::Value parse(const std::string &text) {
  Json::CharReaderBuilder builder;
  std::unique_ptr<Json::CharReader> reader(builder.newCharReader());
  Json::Value value;
  std::string errors;
  if (!reader->parse(text.data(), text.data() + text.size(), &value, &errors)) {
    fputs(errors.c_str(), stdout);
    exit(1);
  }
  return value;
}

static Json::Value make_document(int n) {
  uint64_t seed = 1;
  Json::Value document;
  for (int i = 0; i < n; i++) {
    Json::Value record;
    record["id"] = i;
    record["name"] = "record \"" + std::to_string(random_below(&seed, 1000)) + "\" of \u00e9t\u00e9";
    record["share"] = random_unit(&seed);
    record["active"] = i % 3 == 0;
    for (int tag = 0; tag < 4; tag++)
      record["tags"].append(random_below(&seed, 50));
    document["records"].append(record);
  }
  document["count"] = n;
  return document;
}

static void report(const char *name, const std::string &text) {
  printf("%s %zu %016" PRIx64 "\n", name, text.size(), mix_bytes(0, text.data(), text.size()));
}

int main(int argc, char **argv) {
  Json::Value document = make_document(argument(argc, argv, 1));
  Json::StreamWriterBuilder compact, indented;
  compact["indentation"] = "";
  indented["indentation"] = "  ";
  std::string short_text = Json::writeString(compact, document), long_text = Json::writeString(indented, document);
  report("compact", short_text);
  report("indented", long_text);
  Json::Value copy = parse(short_text), other = parse(long_text);
  printf("%s\n", copy == other ? "same" : "other");
  double total = 0;
  for (Json::Value &record : other["records"]) {
    total += record["share"].asDouble() * record["tags"][0].asInt();
    record.removeMember("name");
    record["tags"].resize(2);
  }
  report("changed", Json::writeString(compact, other));
  printf("total %.17g\n", total);
}
