// The inputs that were kept, as a file: one line for each.
#include "search.h"

#include <fstream>
#include <sstream>

namespace cct {

static const char *const Heading = "cc-agent-test-corpus 3";

bool Search::save(const std::string &Path) const {
  std::ofstream Out(Path);
  Out << Heading << '\n';
  for (const Entry &E : Corpus) {
    Out << E.Input.Seed << ' ' << E.Input.Sequence.size();
    for (const CallSeed &Call : E.Input.Sequence)
      Out << ' ' << Call.Function << ' ' << Call.Path;
    Out << ' ' << E.Input.Fixed.size();
    for (const auto &[Where, Value] : E.Input.Fixed)
      Out << ' ' << Where << ' ' << Value;
    Out << ' ' << E.Input.Bytes.size();
    for (const BytePatch &Patch : E.Input.Bytes)
      Out << ' ' << Patch.Path << ' ' << Patch.Index << ' ' << unsigned(Patch.Value);
    Out << ' ' << E.Input.Clobbers.size();
    for (const Clobber &C : E.Input.Clobbers)
      Out << ' ' << C.Path << ' ' << C.Call << ' ' << C.Index << ' ' << C.Value;
    Out << ' ' << E.Input.Redirections.size();
    for (const Redirection &R : E.Input.Redirections)
      Out << ' ' << R.Pointer << ' ' << R.To << ' ' << R.Index;
    Out << '\n';
  }
  Out.flush();
  return Out.good();
}

bool Search::load(const std::string &Path) {
  std::ifstream In(Path);
  std::string Line;
  if (!std::getline(In, Line) || Line != Heading)
    return false;
  while (std::getline(In, Line)) {
    std::istringstream Words(Line);
    Seeds Input;
    size_t Count = 0;
    Words >> Input.Seed >> Count;
    bool Callable = Count > 0 && Count <= MaxCalls;
    for (size_t Index = 0; Callable && Index < Count; ++Index) {
      CallSeed Call{};
      Words >> Call.Function >> Call.Path;
      Callable = !Words.fail() && Call.Function < D.Functions.size();
      Input.Sequence.push_back(Call);
    }
    Words >> Count;
    for (size_t Index = 0; Callable && Index < Count; ++Index) {
      uint64_t Where = 0, Value = 0;
      Words >> Where >> Value;
      Input.Fixed[Where] = Value;
    }
    Words >> Count;
    for (size_t Index = 0; Callable && Index < Count && !Words.fail(); ++Index) {
      BytePatch Patch{};
      unsigned Value = 0;
      Words >> Patch.Path >> Patch.Index >> Value;
      Patch.Value = static_cast<uint8_t>(Value);
      Input.Bytes.push_back(Patch);
    }
    Words >> Count;
    for (size_t Index = 0; Callable && Index < Count && !Words.fail(); ++Index) {
      Clobber C{};
      Words >> C.Path >> C.Call >> C.Index >> C.Value;
      Input.Clobbers.push_back(C);
    }
    Words >> Count;
    for (size_t Index = 0; Callable && Index < Count && !Words.fail(); ++Index) {
      Redirection R{};
      Words >> R.Pointer >> R.To >> R.Index;
      Input.Redirections.push_back(R);
    }
    if (!Callable || Words.fail())
      return false;
    keep(Input);
  }
  return true;
}

} // namespace cct
