#include "arguments.h"

#include "languages.h"

namespace cc_agent {
namespace {

constexpr std::string_view agent_prefix = "-O-agent";

bool starts_with(std::string_view text, std::string_view prefix) { return text.substr(0, prefix.size()) == prefix; }

Objective objective_of(const std::string &word) {
  if (word == "-O-agent" || word == "-O-agent=size")
    return Objective::Size;
  return word == "-O-agent=speed" ? Objective::Speed : Objective::None;
}

// Why the compiler's own option `value`, given by -Xclang, rules plans out; null when it does not.
const char *frontend_obstacle(const std::string &value) {
  for (const char *prefix : {"-fpass-plugin", "-load", "-plugin", "-add-plugin"})
    if (starts_with(value, prefix))
      return obstacle(Role::Plugin);
  for (const char *prefix : {"-flto", "-fthinlto"})
    if (starts_with(value, prefix))
      return obstacle(Role::LinkTime);
  if (starts_with(value, "-fsanitize"))
    return obstacle(Role::Sanitizer);
  if (starts_with(value, "-fprofile") || starts_with(value, "-fcoverage"))
    return obstacle(Role::Profile);
  if (starts_with(value, "-fmodule"))
    return obstacle(Role::Modules);
  for (const char *prefix :
       {"-emit-", "-S", "-E", "-ast-", "-fsyntax-only", "-x", "-O", "-disable-O0", "-disable-llvm"})
    if (starts_with(value, prefix))
      return "-Xclang changes what is compiled, or how far";
  return nullptr;
}

class Parser {
public:
  Parser(const Expansion &expansion, bool cxx) : cxx(cxx) {
    line.words = expansion.arguments;
    if (expansion.incomplete)
      refuse("a response file", "it could not be read");
  }

  CommandLine parse() {
    while (next < line.words.size())
      read_argument();
    decide_phase();
    return std::move(line);
  }

private:
  // The first reason is the one that is told.
  void refuse(const std::string &what, const std::string &why) {
    if (line.unsupported.empty())
      line.unsupported = what + ": " + why;
  }

  void read_argument() {
    const std::string &word = line.words[next];
    Argument argument;
    argument.index = next;
    if (word.empty()) { // clang ignores it.
      line.arguments.push_back(argument);
      ++next;
      return;
    }
    if (word[0] != '-' || word == "-") {
      read_input(argument);
      return;
    }
    OptionMatch match = match_option(word);
    if (!match.option) {
      refuse(word, "unknown option");
      line.arguments.push_back(argument);
      ++next;
      return;
    }
    if (match.option->role == Role::Remaining) {
      argument.role = Role::Remaining;
      line.arguments.push_back(argument);
      for (++next; next < line.words.size();) {
        Argument input;
        input.index = next;
        read_input(input);
      }
      return;
    }
    argument.role = match.option->role;
    argument.n_words = 1 + match.n_following;
    if (next + argument.n_words > line.words.size()) {
      refuse(word, "its value is missing");
      argument.n_words = line.words.size() - next;
    }
    argument.value = match.joined;
    for (std::size_t i = 1; i < argument.n_words; ++i)
      argument.value = line.words[next + i];
    next += argument.n_words;
    read_option(word, argument);
    line.arguments.push_back(argument);
  }

  void read_input(Argument &argument) {
    argument.is_input = true;
    argument.value = line.words[next++];
    line.arguments.push_back(argument);
    bool explicit_language = !language.empty() && language != "none";
    std::string found = explicit_language ? language : language_of_file(argument.value, cxx);
    has_input = true;
    if (argument.value == "-" && !explicit_language)
      refuse("standard input", "its language is not given");
    else if (found != object_language)
      line.sources.push_back({argument.value, found, explicit_language});
  }

  void read_option(const std::string &word, Argument &argument) {
    if (const char *why = obstacle(argument.role))
      refuse(word, why);
    switch (argument.role) {
    case Role::Optimize:
      read_level(word, argument);
      break;
    case Role::Output:
      line.output = argument.value;
      break;
    case Role::Language:
      language = argument.value;
      break;
    case Role::Preprocess:
      preprocess = true;
      break;
    case Role::Check:
      check = true;
      break;
    case Role::Query:
      query = true;
      break;
    case Role::Arch:
      if (++n_architectures > 1)
        refuse(word, "several architectures at once");
      break;
    case Role::DriverMode:
      cxx = argument.value == "g++";
      if (argument.value != "gcc" && argument.value != "g++")
        refuse(word, "only the driver modes gcc and g++ are understood");
      break;
    case Role::ForwardFrontend:
      if (const char *why = frontend_obstacle(argument.value))
        refuse(word + " " + argument.value, why);
      break;
    default:
      break;
    }
  }

  void read_level(const std::string &word, Argument &argument) {
    line.objective = argument.agent = objective_of(word);
    if (!starts_with(word, agent_prefix))
      return;
    line.mentions_agent = true;
    if (argument.agent == Objective::None && line.fault.empty())
      line.fault = "unknown objective in '" + word + "': write -O-agent=size (or just -O-agent) or -O-agent=speed";
  }

  void decide_phase() {
    bool compiles = false;
    for (const Source &source : line.sources) {
      compiles |= !is_assembly(source.language);
      if (!is_tunable_language(source.language) && !is_assembly(source.language))
        refuse(source.path, "language " + source.language + " is not supported");
    }
    if (query || check || !has_input)
      line.phase = Phase::Other;
    else if (preprocess)
      line.phase = Phase::Preprocess;
    else if (compiles)
      line.phase = Phase::Compile;
    else
      line.phase = line.sources.empty() ? Phase::Link : Phase::Assemble;
    if (line.phase != Phase::Compile)
      refuse(name_of(line.phase), "nothing is compiled");
  }

  CommandLine line;
  bool cxx;
  std::size_t next = 0;
  std::string language; // The last -x.
  int n_architectures = 0;
  bool preprocess = false, check = false, query = false, has_input = false;
};

} // namespace

CommandLine parse_command_line(const Expansion &expansion, bool cxx) { return Parser(expansion, cxx).parse(); }

std::vector<std::string> translated_words(const CommandLine &line, const Argument &argument) {
  if (argument.agent == Objective::None) {
    auto first = line.words.begin() + static_cast<std::ptrdiff_t>(argument.index);
    return {first, first + static_cast<std::ptrdiff_t>(argument.n_words)};
  }
  // All -O-agent options before the last one are overridden anyway, but only if the last -O option is ours too.
  if (line.objective == Objective::None)
    return {};
  return {argument.agent == Objective::Speed ? "-O3" : "-Oz"};
}

std::vector<std::string> translated_words(const CommandLine &line) {
  std::vector<std::string> words;
  for (const Argument &argument : line.arguments)
    for (std::string &word : translated_words(line, argument))
      words.push_back(std::move(word));
  return words;
}

const char *name_of(Objective objective) {
  return objective == Objective::Size ? "size" : objective == Objective::Speed ? "speed" : nullptr;
}

const char *name_of(Phase phase) {
  switch (phase) {
  case Phase::Compile:
    return "compile";
  case Phase::Assemble:
    return "assemble";
  case Phase::Preprocess:
    return "preprocess";
  case Phase::Link:
    return "link";
  case Phase::Other:
    break;
  }
  return "other";
}

} // namespace cc_agent
