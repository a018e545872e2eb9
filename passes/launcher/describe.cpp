#include "describe.h"

#include "json.h"
#include "languages.h"

namespace cc_agent {
namespace {

bool matters_to_one_object(const Argument &argument) {
  if (argument.is_input)
    return false;
  switch (argument.role) {
  case Role::Output:
  case Role::Language:
  case Role::Compile:
  case Role::Assembly:
  case Role::Dependency:
  case Role::SideOutput:
  case Role::Linker:
  case Role::Remaining:
  case Role::SaveTemps:
    return false;
  case Role::ForwardPreprocessor: // -Wp,-MD,FILE is a dependency file again.
    return argument.value.compare(0, 2, "-M") != 0;
  default:
    return true;
  }
}

} // namespace

std::vector<std::string> tune_command(const CommandLine &line, const Source &source, const std::string &clang) {
  // What is left over for other phases (-static, -pthread) must not become an error under -Werror.
  std::vector<std::string> command{clang, "-Qunused-arguments"};
  for (const Argument &argument : line.arguments)
    if (matters_to_one_object(argument))
      for (std::string &word : translated_words(line, argument))
        command.push_back(std::move(word));
  if (source.explicit_language) {
    command.push_back("-x");
    command.push_back(source.language);
  }
  // A name that begins with "-" can only have come from behind "--".
  std::string path = source.path[0] == '-' && source.path != "-" ? "./" + source.path : source.path;
  for (std::string word : {std::string("-c"), std::string("-o"), std::string("-"), path})
    command.push_back(std::move(word));
  return command;
}

std::string describe(const CommandLine &line, const Installation &installation) {
  std::vector<std::string> sources;
  for (const Source &source : line.sources) {
    bool tunable = line.unsupported.empty() && is_tunable_language(source.language) && source.path != "-";
    JsonObject object;
    object.add("path", json_string(source.path)).add("language", json_string(source.language));
    object.add("tune_argv", tunable ? json_strings(tune_command(line, source, installation.clang)) : "null");
    sources.push_back(object.text());
  }
  std::vector<std::string> translated = translated_words(line);
  translated.insert(translated.begin(), installation.clang);
  const char *objective = name_of(line.objective);
  JsonObject object;
  object.add("supported", line.unsupported.empty() ? "true" : "false");
  object.add("reason", json_string_or_null(line.unsupported));
  object.add("objective", json_string_or_null(objective ? objective : ""));
  object.add("clang", json_string(installation.clang));
  object.add("phase", json_string(name_of(line.phase)));
  object.add("sources", json_array(sources));
  object.add("output", json_string_or_null(line.output));
  object.add("translated", json_strings(translated));
  return object.text() + "\n";
}

std::string record_line(const CommandLine &line, const Source &source, const Installation &installation,
                        const std::string &key, const std::vector<std::string> &original) {
  const char *objective = name_of(line.objective);
  JsonObject object;
  object.add("format", "\"cc-agent-record\"").add("version", "1");
  object.add("cwd", json_string(current_directory()));
  object.add("source", json_string(source.path));
  object.add("language", json_string(source.language));
  object.add("objective", json_string_or_null(objective ? objective : ""));
  object.add("key", json_string_or_null(key));
  object.add("tune_argv", json_strings(tune_command(line, source, installation.clang)));
  object.add("argv", json_strings(original));
  return object.text();
}

} // namespace cc_agent
