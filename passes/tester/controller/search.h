// Testing functions: inputs that reach new edges are kept and changed, and a difference is believed only when everything that
// could explain it otherwise has been ruled out.
#pragma once

#include "generate.h"
#include "outcome.h"
#include "waiting.h"

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace cct {

struct Statistics {
  uint64_t Executions = 0;      // inputs run on the reference
  uint64_t Compared = 0;        // of them, those that were run on the candidate too
  uint64_t Crashed = 0;         // discarded: the reference crashed
  uint64_t TimedOut = 0;        // discarded: the reference did not end in time
  uint64_t Limited = 0;         // discarded: too much memory, too long a trace, a forbidden system call
  uint64_t Sanitized = 0;       // inputs checked for undefined behaviour
  uint64_t Undefined = 0;       // of them, those that have it
  uint64_t Unstable = 0;        // differences that the reference has with itself, built otherwise
  uint64_t Explained = 0;       // differences on undefined inputs
  uint64_t CandidateSilent = 0; // the candidate's run said nothing: forbidden system call, limit
  uint64_t CandidateLimited = 0; // of them, those that met a limit which the reference keeps on a defined input
  uint32_t Edges = 0, EdgesCovered = 0; // the function's own, and those of the local functions that it calls
  uint32_t UnitEdgesCovered = 0;        // all that were reached so far
  uint32_t Corpus = 0;                  // inputs kept that call it
  double Seconds = 0;
};

struct Variants {
  // Moved is the candidate at another address. Candidate and Moved are null when inputs are only collected.
  // Guide is the source at -O2 with counters: what an optimizer unrolled and inlined has edges of its own.
  // Traced tells what it compares and loads.
  std::unique_ptr<Variant> Reference, Guide, Traced, Sanitized, Zero, Pattern, Typed, Candidate, Moved;
};

struct Finding {
  bool Refuted = false;
  uint32_t Function = 0; // the one that the minimal input needs
  Seeds Input;
  std::string Report;
};

struct Options {
  double Seconds = 10; // on the clock; of processor time where inputs are only collected
  uint64_t MaxExecutions = ~0ull;
  uint64_t Seed = 0;
};

class Search {
public:
  Search(const Description &D, SharedInput &Input, Variants &All, Generator &Inputs, const Options &O);
  // Collects inputs for all callable functions, on the reference alone. Such a corpus serves every candidate of the unit.
  void explore();
  // Inputs go on being made until the time is up, or the function is refuted. Others that are found wrong on the way are added
  // to Others, and not called any more.
  Finding test(uint32_t Function, Statistics &S, std::vector<Finding> &Others);

  // corpus.cpp: one line for each input that was kept.
  bool save(const std::string &Path) const;
  bool load(const std::string &Path);

private:
  struct Entry {
    Seeds Input;
    std::vector<Leaf> Read; // what the code looked at, of what the input holds
    size_t ReadByTested = 0; // of them, the first ones: by the function under test itself
    std::vector<uint32_t> Lengths;
    bool Inspected = false;
    uint32_t Bytes = 0; // of memory: what it costs to run it
    uint32_t ClobberingCalls = 0;
    bool Mistyped = false; // it does not respect the types of what it points to: a child of another is preferred
    size_t Stepped = 0; // how many of the small changes have been tried
  };
  enum class Run { Discarded, Undefined, Kept, Plain };
  // Runs an input on the reference, and keeps it where it reaches new edges without undefined behaviour. Where its arrays are too
  // short it becomes one with longer ones.
  Run tryInput(uint32_t Function, Seeds &Candidate);
  Run tryOnce(uint32_t Function, const Seeds &Candidate);
  // grow.cpp. Whether the input that has just been run may be in want of longer arrays.
  bool isTooShort(Run Done) const;
  // Makes arrays as long as the code needs them; false: that is not what is wrong with the input, or enough was
  // spent on that.
  bool grow(uint32_t Function, Seeds &Candidate);
  bool makeLonger(uint32_t Function, Seeds &Candidate);
  // Seconds of processor time, of this process and of all variants.
  double spent() const;
  // What the runs of all variants have cost.
  uint64_t effort() const;
  // More for what is very large.
  uint32_t timeoutMs(uint32_t AtLeast) const { return AtLeast + (Input.header().ArenaUsed >> 18 << 1); }
  // The reference, on the input in the shared memory.
  void runReference(uint32_t Function);
  void keep(const Seeds &Candidate);
  // inspect.cpp. Finds out what of a kept input the code reads, and puts what that is compared with in its place: the next inputs.
  void inspect(uint32_t Function, Entry &Kept);
  // The same for one that cannot be kept, where it went where none had been: what it was compared with on its way may lead on.
  void learnFrom(uint32_t Function, const Seeds &Failed);
  // What is made of failed inputs mostly fails, too, which takes twenty times as long as what does not.
  bool mayLearn(uint32_t Function);
  // Runs the input in the shared memory, and notes what of it was read.
  void trace(uint32_t Function, Entry &Looked, uint32_t Most);
  const Leaf &readBy(const Entry &Parent);
  void queueCompared(uint32_t Function, const Entry &Kept);
  // The inputs in which something that the code reads, and that is as the one side of a comparison, is as the other side.
  // Most: about so many.
  std::vector<Seeds> likeCompared(const Entry &Kept, const Leaf &L, const Compared &Pair, size_t Most);
  // Every small change of everything that is read, one after the other; false when all have been tried.
  bool stepRead(Seeds &Changed, Entry &Parent);
  // Has a function of another unit change something that the code reads.
  void addClobber(Seeds &Changed, const Entry &Parent);
  // Has a pointer lead to something that the code reads: that may be changed by what is not its name. False: there is nothing like that.
  bool redirect(Seeds &Changed, const Entry &Parent, const Leaf &Pointer);
  // Changes what the code reads of the entry, at random.
  void changeRead(uint32_t Function, Seeds &Changed, const Entry &Parent);
  // propose.cpp
  Seeds next(uint32_t Function);
  Seeds fresh(uint32_t Function);
  void changeChoices(Seeds &Changed);
  bool isCallable(const Seeds &Candidate) const;
  void changeSequence(uint32_t Function, Seeds &Changed);
  bool isDefined();
  // Runs the sanitized variant until it finds out nothing new about what stubs may read.
  void runSanitized(uint32_t TimeoutMs);
  // An input that is undefined because a structure is too small: the same with a larger one is tried next.
  void recast(uint32_t Function, const Seeds &Candidate);
  // Whether builds that differ only in what nobody has written agree on the input that the reference has just run.
  bool isStable();
  // Whether no access falls outside of the object it is meant for. One that hits another object is no fault in the sanitizer's eyes,
  // but an optimizer may know that the two are not one: the objects lie far apart here.
  bool staysInside(const Seeds &Candidate);
  // Whether it differs whatever memory holds that nobody wrote: what was written may be equal to that by chance.
  bool differsRefilled(const OutputHeader &Expected);
  // Where a request for memory is denied: whether the candidate makes the very same requests as long as none is. An optimizer may leave
  // one out, and another one would be denied.
  bool requestsAlike();
  enum class Verdict { Equal, Unstable, Explained, Refuted };
  Verdict judge(bool ByType);
  // ByType: whether the input respects the types of what it points to is asked too, which takes long.
  bool refutes(const Seeds &Candidate, bool ByType);
  // Fields of local variables that stubs saw, and that hold what nobody wrote: builds that differ in that tell.
  // Whether there is one that was not known to be such.
  bool learnUnwritten();
  // The candidate on the input that the reference has just run: true when a finding is made of it.
  bool differs(const OutputHeader &Expected, const Seeds &Candidate);
  // Leaves out the calls that the difference does not need.
  Seeds withFewCalls(Seeds S);
  Seeds minimised(Seeds S);
  Seeds withFewBytes(Seeds S);
  Finding finding(uint32_t Function, const Seeds &Candidate);
  // What the test of a function needed, and nothing else does.
  void release(uint32_t Function);
  // Whether the input that has just been run on the reference goes where none has been before.
  bool isNew(uint32_t Function);
  void recordEdges(uint32_t Function);
  uint64_t random(uint64_t Bound);
  Waiting::Random below() {
    return [this](uint64_t Bound) { return random(Bound); };
  }

  const Description &D;
  SharedInput &Input;
  Variants &All;
  Generator &Inputs;
  const Options &O;
  Statistics *S = nullptr;
  std::vector<Entry> Corpus;
  std::vector<std::vector<uint32_t>> Containing; // by function: entries of the corpus that call it
  std::vector<Waiting> Next, NextOfFailed; // by function: inputs to try
  // Effort: when the test of the function began, and what making arrays longer, and what is made of failed inputs, took since then.
  uint64_t EffortBefore = 0, GrowthEffort = 0, LearningEffort = 0;
  bool HasGrown = false; // that was enough for an input at least once
  // Counts seen during calls of one function, in buckets; dirty: of undefined inputs too; failed: of inputs that cannot be kept.
  struct Seen {
    std::vector<uint8_t> Clean, Dirty, Failed, GuideClean, GuideDirty;
    uint64_t Runs = 0, Endless = 0; // inputs that were run, and about how many of them do not end, or meet a limit
    bool ReachesHalf = false;       // of the function's edges
  };
  Seen &seenBy(uint32_t Function);
  // How many edges a function and the local ones that it calls have, and how many of them were reached.
  std::pair<uint32_t, uint32_t> edgesOf(uint32_t Function);
  std::vector<Seen> SeenBy; // by function, empty until it is needed
  bool Guided = false; // the guide has said something about the last input
  uint64_t RandomState = 0;
  double Deadline = 0; // of the minimisation that is on
};

// report.cpp: the failing input, which the shared memory holds, as text.
std::string explainDifference(const Description &D, SharedInput &Input, Variants &All, const Generator &Inputs);

} // namespace cct
