// What a command line asks of clang: the phase, the sources, the -O level, and whether plans can be used for it.
#pragma once

#include "options.h"
#include "response.h"

#include <string>
#include <vector>

namespace cc_agent {

enum class Objective { None, Size, Speed };
enum class Phase { Compile, Assemble, Preprocess, Link, Other };

// One option with its values, or one input.
struct Argument {
  std::size_t index = 0; // Of its first word in CommandLine::words.
  std::size_t n_words = 1;
  Role role = Role::None;
  bool is_input = false;
  Objective agent = Objective::None; // Set for -O-agent*.
  std::string value;                 // Joined or following; for an input, its name.
};

struct Source {
  std::string path;
  std::string language;  // A name that -x takes, such as "c++".
  bool explicit_language = false; // Given by -x, not by the file's name.
};

struct CommandLine {
  std::vector<std::string> words; // Without the program's name, response files expanded.
  std::vector<Argument> arguments;
  bool mentions_agent = false; // Some argument is -O-agent*.
  Objective objective = Objective::None; // What the last -O option asks for.
  std::string fault;       // A mistake of the user's that only we can report; empty: none.
  std::string unsupported; // Why plans cannot be used; empty: they can.
  Phase phase = Phase::Other;
  std::vector<Source> sources; // Inputs that are compiled or assembled, in order.
  std::string output;          // The last -o; empty: none.
};

// `cxx`: the driver is clang++, to which a .c file is C++.
CommandLine parse_command_line(const Expansion &expansion, bool cxx);

// The words of one argument with -O-agent* replaced by its base level, or by nothing when a later -O overrides it.
std::vector<std::string> translated_words(const CommandLine &line, const Argument &argument);

// All words so translated: plain clang's command line.
std::vector<std::string> translated_words(const CommandLine &line);

const char *name_of(Objective objective); // Null for None.
const char *name_of(Phase phase);

} // namespace cc_agent
