// One test executable, running as a server.
#pragma once

#include "../shared/layout.h"

#include <string>
#include <sys/types.h>

namespace cct {

// The input that all variants see.
class SharedInput {
public:
  SharedInput();
  ~SharedInput();
  SharedInput(const SharedInput &) = delete;
  int descriptor() const { return Descriptor; }
  InputHeader &header() { return *reinterpret_cast<InputHeader *>(Memory); }
  uint8_t *arguments() { return Memory + InputArguments; }
  uint8_t *arena() { return Memory + InputArena; }
  uint8_t *mask() { return Memory + InputMask; }
  UnwrittenFields *unwritten() { return reinterpret_cast<UnwrittenFields *>(Memory + InputUnwritten); }
  uint8_t *globalMask() { return Memory + InputGlobalMask; }

private:
  int Descriptor;
  uint8_t *Memory;
};

class Variant {
public:
  // Fill makes what fresh memory holds in it. Flags: VariantSanitized, VariantUncompared.
  Variant(std::string Path, SharedInput &Input, uint8_t Fill, uint32_t Flags);
  ~Variant();
  Variant(const Variant &) = delete;

  // Starts it; false with Problem set where that fails.
  bool start(std::string &Problem);
  // Whether it did not start because what runs before main ends the program.
  bool diesInConstruction() const { return DiesInConstruction; }
  // Runs the shared input. Fresh: in a process that has run nothing before.
  void run(uint32_t TimeoutMs, bool Fresh);

  // What its runs have cost so far: 1 each, and more where the process ended and another one had to begin. Unlike a time it is the same
  // whenever the same is run.
  uint64_t effort() const { return Effort; }

  const OutputHeader &output() const { return *reinterpret_cast<const OutputHeader *>(Output); }
  const uint8_t *present() const { return Output + OutputPresent; }
  const uint8_t *counters() const { return Output + OutputCounters; }
  const uint16_t *owners() const { return reinterpret_cast<const uint16_t *>(Output + OutputOwner); }
  const uint8_t *notString() const { return Output + OutputNotString; }
  const Compared *compared() const { return reinterpret_cast<const Compared *>(Output + OutputCompared); }
  // Whether any of these bytes was loaded; ByTested: by the function under test.
  bool loaded(uint32_t ArenaOffset, uint32_t Size, bool ByTested = false) const {
    const uint8_t *Bits = Output + (ByTested ? OutputLoadedByTested : OutputLoaded);
    for (uint32_t Byte = ArenaOffset; Byte < ArenaOffset + Size && Byte < OutputLoadedSize * 8; ++Byte)
      if (Bits[Byte / 8] >> Byte % 8 & 1)
        return true;
    return false;
  }
  const SeenField *seen() const { return reinterpret_cast<const SeenField *>(Output + OutputSeen); }
  const char *text() const { return reinterpret_cast<const char *>(Output + OutputText); }
  const uint8_t *arena() const { return Arena; }

private:
  int stop(); // its status
  int awaitReport(int TimeoutMs);

  std::string Path;
  SharedInput &Input;
  uint8_t Fill;
  uint32_t Flags;
  bool DiesInConstruction = false;
  int OutputDescriptor = -1, ArenaDescriptor = -1, Commands = -1, Reports = -1;
  pid_t Process = -1;
  uint8_t *Output = nullptr, *Arena = nullptr;
  uint64_t Effort = 0;
};

} // namespace cct
