// Testing one function: inputs that reach new edges are kept and changed, and a difference is believed only when everything
// that could explain it otherwise has been ruled out.
#pragma once

#include "generate.h"

#include <memory>
#include <string>
#include <vector>

namespace cct {

struct Statistics {
  uint64_t Executions = 0;   // inputs run on the reference
  uint64_t Compared = 0;     // of them, those that were run on the candidate too
  uint64_t Crashed = 0;      // discarded: the reference crashed
  uint64_t TimedOut = 0;     // discarded: the reference did not end in time
  uint64_t Limited = 0;      // discarded: too much memory, too long a trace, a forbidden system call
  uint64_t Sanitized = 0;    // inputs checked for undefined behaviour
  uint64_t Undefined = 0;    // of them, those that have it
  uint64_t Unstable = 0;     // differences that the reference has with itself, built otherwise
  uint64_t Explained = 0;    // differences on undefined inputs
  uint64_t CandidateSilent = 0; // the candidate's run said nothing: forbidden system call, limit
  uint32_t Edges = 0, EdgesCovered = 0; // the function's own
  uint32_t UnitEdgesCovered = 0;        // all that were reached while it was tested
  uint32_t Corpus = 0;
  double Seconds = 0;
};

struct Variants {
  std::unique_ptr<Variant> Reference, Sanitized, Zero, Pattern, Typed, Candidate, Moved; // Moved: the candidate at another address
};

struct Finding {
  bool Refuted = false;
  uint32_t Function = 0; // the one that the minimal input needs
  Seeds Input;
  std::string Report;
};

struct Options {
  double Seconds = 10;
  uint64_t MaxExecutions = ~0ull;
  uint64_t Seed = 0;
};

class Search {
public:
  Search(const Description &D, SharedInput &Input, Variants &All, Generator &Inputs, const Options &O)
      : D(D), Input(Input), All(All), Inputs(Inputs), O(O) {}
  // Inputs go on being made until the time is up, or the function is refuted. Others that are found wrong on the way are added to
  // Others, and not called any more.
  Finding test(uint32_t Function, Statistics &S, std::vector<Finding> &Others);

private:
  struct Entry {
    Seeds Input;
    std::vector<Choice> Made;
  };
  Seeds next();
  bool isDefined();
  bool refutes();
  bool refutes(const Seeds &S);
  // Leaves out the calls that the difference does not need.
  Seeds withFewCalls(Seeds S);
  Seeds minimised(Seeds S);
  bool newEdges(std::vector<uint8_t> &Seen, bool Record);
  uint64_t random(uint64_t Bound);

  const Description &D;
  SharedInput &Input;
  Variants &All;
  Generator &Inputs;
  const Options &O;
  uint32_t Target = 0;
  Statistics *S = nullptr;
  std::vector<Entry> Corpus;
  std::vector<uint8_t> Clean, Dirty;
  uint64_t RandomState = 0;
};

// Whether a run ended in a way that the candidate has to share.
bool saysSomething(const OutputHeader &Output);
bool same(const OutputHeader &A, const OutputHeader &B);

// report.cpp: the failing input, which the shared memory holds, as text.
std::string explainDifference(const Description &D, SharedInput &Input, Variants &All, const Generator &Inputs);

} // namespace cct
