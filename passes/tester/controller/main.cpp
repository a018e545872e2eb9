// cc-agent-tester: compares a candidate with the reference, function by function.
//
//     cc-agent-tester DESCRIPTION --reference EXE --traced EXE --sanitized EXE --zero EXE --pattern EXE --typed EXE --guide EXE
//                     --candidate EXE --moved EXE [--corpus FILE] [--seconds S] [--executions N] [--seed N] [--functions NAME,NAME…]
//     cc-agent-tester DESCRIPTION --reference EXE … --guide EXE --write-corpus FILE [--seconds S] [--executions N] [--seed N]
//
// The second form collects inputs that reach far, without a candidate; the first begins with them, if they are given. It writes
// one line of JSON on standard output for each function, as soon as it is known. Status 4: a constructor ends one of the executables.
#include "processor.h"
#include "search.h"

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>
#include <sstream>

using namespace cct;

namespace {

std::string quoted(const std::string &Text) {
  std::string Result = "\"";
  for (unsigned char Character : Text)
    if (Character == '"' || Character == '\\') {
      Result += '\\';
      Result += static_cast<char>(Character);
    } else if (Character < ' ' || Character >= 127) {
      char Buffer[8];
      snprintf(Buffer, sizeof Buffer, "\\u%04x", Character);
      Result += Buffer;
    } else {
      Result += static_cast<char>(Character);
    }
  return Result + "\"";
}

[[noreturn]] void usage(const std::string &Problem) {
  fprintf(stderr, "cc-agent-tester: %s\n", Problem.c_str());
  exit(2);
}

void print(const std::string &Name, const char *Outcome, const std::string &Reason, const Statistics &S, uint64_t Seed, uint32_t Isolation,
           const std::string &Report) {
  printf("{\"function\":%s,\"outcome\":\"%s\",\"reason\":%s,\"executions\":%" PRIu64 ",\"compared\":%" PRIu64 ",\"crashed\":%" PRIu64
         ",\"timed_out\":%" PRIu64 ",\"limited\":%" PRIu64 ",\"sanitized\":%" PRIu64 ",\"undefined\":%" PRIu64 ",\"unstable\":%" PRIu64
         ",\"explained\":%" PRIu64 ",\"candidate_silent\":%" PRIu64 ",\"edges\":%u,\"edges_covered\":%u,\"unit_edges_covered\":%u,\"corpus\":%u,\"seconds\":%.3f,"
         "\"seed\":%" PRIu64 ",\"isolation\":%u,\"report\":%s}\n",
         quoted(Name).c_str(), Outcome, quoted(Reason).c_str(), S.Executions, S.Compared, S.Crashed, S.TimedOut, S.Limited, S.Sanitized,
         S.Undefined, S.Unstable, S.Explained, S.CandidateSilent, S.Edges, S.EdgesCovered, S.UnitEdgesCovered, S.Corpus, S.Seconds, Seed, Isolation,
         quoted(Report).c_str());
  fflush(stdout);
}

// Why what was seen is not enough; empty: it is.
std::string insufficiency(const Statistics &S) {
  uint64_t Defined = S.Sanitized - S.Undefined;
  if (S.Executions == 0)
    return "there was no time";
  if (S.Compared == 0 || Defined == 0)
    return S.Crashed * 2 > S.Executions    ? "the reference crashes on the inputs that were generated"
           : S.TimedOut * 2 > S.Executions ? "the reference does not end on the inputs that were generated"
           : S.Limited * 2 > S.Executions  ? "the reference makes system calls or needs more than a test may"
                                           : "every input that was generated has undefined behaviour";
  if (S.CandidateLimited)
    return "the candidate needs more than a test may on inputs on which the reference does not";
  if (S.CandidateSilent * 2 > S.Compared)
    return "the candidate makes system calls or needs more than a test may";
  if (Defined < 3)
    return "too few inputs without undefined behaviour";
  return "";
}

} // namespace

int main(int Count, char **Arguments) {
  std::map<std::string, std::string> Given;
  std::string DescriptionPath;
  for (int Index = 1; Index < Count; ++Index) {
    std::string Word = Arguments[Index];
    if (Word.compare(0, 2, "--") != 0)
      DescriptionPath = Word;
    else if (Index + 1 < Count)
      Given[Word.substr(2)] = Arguments[++Index];
    else
      usage(Word + " needs a value");
  }
  bool Exploring = Given.count("write-corpus") != 0;
  for (const char *Needed : {"reference", "traced", "sanitized", "zero", "pattern", "typed", "guide", "candidate", "moved"})
    if (DescriptionPath.empty() || (!Given.count(Needed) && !(Exploring && (Needed[0] == 'c' || Needed[0] == 'm'))))
      usage(std::string("wanted: DESCRIPTION and --") + Needed + " EXECUTABLE");
  Description D;
  std::string Problem;
  if (!readDescription(DescriptionPath, D, Problem))
    usage(Problem);

  SharedInput Input;
  Variants All;
  stayOnOneProcessor();
  All.Reference = std::make_unique<Variant>(Given["reference"], Input, 0x5A, 0);
  All.Traced = std::make_unique<Variant>(Given["traced"], Input, 0x5A, VariantUncompared);
  All.Sanitized = std::make_unique<Variant>(Given["sanitized"], Input, 0x5A, VariantSanitized | VariantUncompared);
  All.Zero = std::make_unique<Variant>(Given["zero"], Input, 0x00, 0);
  All.Pattern = std::make_unique<Variant>(Given["pattern"], Input, 0xAA, 0);
  All.Guide = std::make_unique<Variant>(Given["guide"], Input, 0x5A, VariantUncompared);
  All.Typed = std::make_unique<Variant>(Given["typed"], Input, 0x5A, VariantUncompared);
  if (!Exploring) {
    All.Candidate = std::make_unique<Variant>(Given["candidate"], Input, 0x5A, 0);
    All.Moved = std::make_unique<Variant>(Given["moved"], Input, 0x3C, 0);
  }
  for (const std::unique_ptr<Variant> *V : {&All.Reference, &All.Guide, &All.Traced, &All.Sanitized, &All.Zero, &All.Pattern,
                                            &All.Typed, &All.Candidate, &All.Moved})
    if (*V && !(*V)->start(Problem)) {
      fprintf(stderr, "cc-agent-tester: %s\n", Problem.c_str());
      return (*V)->diesInConstruction() ? 4 : 3;
    }
  if (!All.Sanitized->output().FramesPoisoned)
    fprintf(stderr, "cc-agent-tester: this AddressSanitizer keeps local variables otherwise than we know: an index far beyond one goes unseen\n");
  if (All.Reference->output().Functions != D.Functions.size())
    usage("the description is of another unit than the executables");

  Options O;
  if (Given.count("seconds"))
    O.Seconds = strtod(Given["seconds"].c_str(), nullptr);
  if (Given.count("executions"))
    O.MaxExecutions = strtoull(Given["executions"].c_str(), nullptr, 10);
  if (Given.count("seed"))
    O.Seed = strtoull(Given["seed"].c_str(), nullptr, 10);
  std::set<std::string> Wanted;
  std::istringstream Names(Given["functions"]);
  for (std::string Name; std::getline(Names, Name, ',');)
    Wanted.insert(Name);

  Generator Inputs(D, Input);
  std::vector<bool> Callable(D.Functions.size());
  for (size_t Index = 0; Index < D.Functions.size(); ++Index)
    Callable[Index] = D.Functions[Index].Unsupported.empty() && All.Reference->present()[Index] && (Exploring || All.Candidate->present()[Index]);
  Inputs.setCallable(Callable);
  Search Tests(D, Input, All, Inputs, O);
  if (Exploring) {
    Tests.explore();
    if (!Tests.save(Given["write-corpus"])) {
      fprintf(stderr, "cc-agent-tester: %s cannot be written\n", Given["write-corpus"].c_str());
      return 3;
    }
    return 0;
  }
  if (Given.count("corpus") && !Tests.load(Given["corpus"]))
    usage(Given["corpus"] + " is not a corpus of this unit");
  std::set<uint32_t> Refuted;
  uint32_t Isolation = All.Candidate->output().Isolation;
  for (uint32_t Index = 0; Index < D.Functions.size(); ++Index) {
    const FunctionNode &F = D.Functions[Index];
    if (!Wanted.empty() && !Wanted.count(F.Name))
      continue;
    if (Refuted.count(Index))
      continue;
    Statistics S;
    if (!F.Unsupported.empty()) {
      print(F.Name, "not-established", F.Unsupported, S, O.Seed, Isolation, "");
      continue;
    }
    if (!Callable[Index]) {
      print(F.Name, "not-established", "the candidate has no such function: it is inline, and not needed there", S, O.Seed, Isolation, "");
      continue;
    }
    std::vector<Finding> Others;
    Finding Found = Tests.test(Index, S, Others);
    Isolation = All.Candidate->output().Isolation;
    for (const Finding &Other : Others)
      if (Refuted.insert(Other.Function).second)
        print(D.Functions[Other.Function].Name, "refuted", "", S, O.Seed, Isolation, Other.Report);
    if (Found.Refuted) {
      Inputs.exclude(Index);
      Refuted.insert(Index);
      print(F.Name, "refuted", "", S, O.Seed, Isolation, Found.Report);
      continue;
    }
    std::string Missing = insufficiency(S);
    print(F.Name, Missing.empty() ? "tested" : "not-established", Missing, S, O.Seed, Isolation, "");
  }
  return 0;
}
