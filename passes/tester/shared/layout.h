// What the controller and the test executables share: fixed addresses and the layout of shared memory.
//
// The addresses are the same in every variant of a unit, so that pointers into the arena are equal bit for bit. They lie
// where no other mapping is put (of the sanitizers', too), and where no plausible integer points.
#pragma once

#include <cstdint>

namespace cct {

constexpr uint32_t LayoutVersion = 12;

// The last word of a variant's command.
constexpr uint32_t VariantSanitized = 1;  // it has AddressSanitizer
constexpr uint32_t VariantUncompared = 2; // nobody compares what it leaves: of interest are which way it goes and how it ends

// The status of a variant in which a constructor exits, aborts, or wants more than a test may.
constexpr int EndedInConstruction = 9;

constexpr uint64_t ArenaBase = 0x6010'0000'0000;
constexpr uint64_t ArenaSize = 8u << 20;
constexpr uint64_t HeapBase = 0x6020'0000'0000;
constexpr uint64_t HeapSize = 64u << 20;
constexpr uint64_t StackBase = 0x6030'0000'0000;
constexpr uint64_t StackSize = 4u << 20;
constexpr uint64_t InputBase = 0x6040'0000'0000;
constexpr uint64_t OutputBase = 0x6050'0000'0000;
constexpr uint64_t StateBase = 0x6060'0000'0000;
constexpr uint64_t ArgumentsBase = 0x6070'0000'0000; // each run's own copy of Input's arguments

// Jumps to the callbacks: a pointer to a function is then the same number in all variants.
constexpr uint64_t CallbackBase = 0x6080'0000'0000;
constexpr uint64_t CallbackStride = 16;
constexpr uint32_t MaxCallbacks = 4096;

// Stands for what an earlier call returned (by its index), where a later one is given that pointer.
constexpr uint64_t ResultBase = 0x6090'0000'0000;

constexpr uint32_t MaxCalls = 6;
constexpr uint32_t MaxObjects = 4096;
constexpr uint32_t MaxGlobals = 4096;
constexpr uint32_t MaxResultSize = 4096;

// One byte of mask for each byte that is compared: the bits of it that count, but for two values that no bit-fields should have.
enum Mask : uint8_t {
  MaskIgnore = 0,     // padding
  MaskCompare = 0xFF, // exact
  MaskFloat = 0x55,   // the first of 4 bytes of a float; any NaN is like any other
  MaskDouble = 0xAA,  // the first of 8 bytes of a double
};

inline uint8_t countedBits(uint8_t Mask) { return Mask == MaskFloat || Mask == MaskDouble ? uint8_t{MaskCompare} : Mask; }

struct CallEntry {
  uint32_t Function;
  uint32_t ArgumentsOffset; // in Input's arguments
  uint32_t ResultMaskOffset; // in Input's arguments too: MaxResultSize bytes at most
  uint32_t ArgumentsSize;
};

struct ObjectEntry {
  uint32_t Offset; // in the arena
  uint32_t Size;
};

// Bytes that are put into an externally visible global before the first call.
struct PatchEntry {
  uint32_t Global;
  uint32_t Offset;
  uint32_t Size;
  uint32_t DataOffset; // in Input's arguments
};

constexpr uint32_t MaxPatches = 256;

// What a function of another unit writes though it was not given it: any memory may be known to it, but for local variables that
// nobody was told of.
struct ClobberEntry {
  uint64_t Value;
  uint32_t Offset; // in the arena
  uint32_t Size;
  uint32_t Call; // during which call, from 0 on; only those count that may write any memory
};

constexpr uint32_t MaxClobbers = 8;

// What functions of other units answer: an object of the arena where they return a pointer, and some of the numbers.
constexpr uint32_t MaxAnsweringStubs = 1024;
constexpr uint32_t MaxAnswers = 16; // a power of two

// A const char * may be a string or the end of an array, any pointer the end of one. Where the sanitized variant sees, on an input,
// that reading on to a zero (or the whole of what is pointed to) leaves the object, no variant reads what that argument of that
// function points to on this input.
constexpr uint8_t NotWhole = 1;   // reading on, or reading the whole of it, leaves the object
constexpr uint8_t NotCounted = 2; // the numbers that follow are not how many bytes there are
constexpr uint32_t MaxStubArguments = 32768;
inline uint32_t stubArgument(uint32_t Stub, bool Callback, uint32_t Argument) {
  return (Stub * 16 + (Callback ? 8 : 0) + (Argument & 7)) % MaxStubArguments;
}

struct InputHeader {
  uint64_t Seed;
  uint32_t Calls;
  uint32_t Objects;
  uint32_t Patches;
  uint32_t ArenaUsed;
  uint32_t ArgumentsUsed;
  uint32_t TimeoutMs; // of processor time
  uint32_t Explain;   // write the trace as text
  uint32_t AnyNotString;
  uint32_t Counted; // edges are counted during calls of this function (its index + 1); 0: of all
  uint32_t Denied; // the unit's request for memory of this number, from 1 on, is denied; 0: none is
  uint32_t Apart; // the sanitized variant keeps blocks of the heap far apart
  uint32_t Refill; // makes what nobody wrote other than it was
  uint32_t Trace; // write down what the code compares, and what of the arena it loads, until there were so many comparisons and loads
  uint32_t Clobbers;
  CallEntry Call[MaxCalls];
  ObjectEntry Object[MaxObjects];
  PatchEntry Patch[MaxPatches];
  ClobberEntry Clobber[MaxClobbers];
  uint32_t Answers; // all of them, or none
  uint64_t Answer[MaxAnswers];
  uint64_t AnsweredObject[MaxAnsweringStubs]; // by stub; 0: none
  uint8_t NotString[MaxStubArguments]; // see stubArgument
};

constexpr uint64_t InputArguments = 256u << 10;
constexpr uint64_t InputArgumentsSize = 768u << 10;
constexpr uint64_t InputArena = 1u << 20;
constexpr uint64_t InputMask = InputArena + ArenaSize;
constexpr uint64_t InputGlobalMask = InputMask + ArenaSize; // all globals' masks, one after the other
constexpr uint64_t InputGlobalMaskSize = 4u << 20;
// By stubArgument: which fields of local variables that are passed to a stub were seen to hold what nobody wrote.
constexpr uint64_t InputUnwritten = InputGlobalMask + InputGlobalMaskSize;
constexpr uint32_t MaxPointeeFields = 512;
struct UnwrittenFields {
  uint8_t Bits[MaxPointeeFields / 8];
  bool has(uint32_t Field) const { return Bits[Field / 8] >> Field % 8 & 1; }
  void add(uint32_t Field) { Bits[Field / 8] = static_cast<uint8_t>(Bits[Field / 8] | 1u << Field % 8); }
};
constexpr uint64_t InputSize = InputUnwritten + MaxStubArguments * sizeof(UnwrittenFields);

enum Outcome : uint32_t {
  OutcomeNone = 0,      // the child ended without a word
  OutcomeReturned = 1,  // all calls returned
  OutcomeExit = 2,      // exit, _exit; Detail: the status
  OutcomeAbort = 3,     // abort, a failed assertion
  OutcomeException = 4, // a C++ exception left the function; Detail: hash of its type's name
  OutcomeNoReturn = 5,  // an external function that does not return; Detail: its index
  OutcomeSignal = 6,    // Detail: the signal's number
  OutcomeTimeout = 7,
  OutcomeForbidden = 8, // Detail: the system call's number
  OutcomeLimit = 9,     // too much memory, or (Detail: 1) too long a trace
  OutcomeBadFree = 10,  // memory is freed that is not there, or not any more
};

enum Part : uint32_t { PartResults, PartArena, PartGlobals, PartHeap, PartTrace, PartOutput, PartCount };

struct OutputHeader {
  uint32_t Version;
  uint32_t Outcome;
  uint64_t Detail;
  uint64_t FaultAddress;
  uint64_t Nanoseconds; // of processor time, that the calls took
  uint64_t Spent, SpentBefore; // the same, of this variant so far; before the worker that runs now
  uint32_t CallsDone;
  uint32_t TraceEvents;
  uint32_t ClobberingCalls; // calls that may write any memory
  uint64_t Hash[PartCount];
  uint32_t CounterCount;
  uint32_t TextSize;
  uint32_t ComparedCount;
  uint32_t TracedCount; // comparisons and loads
  uint32_t SeenCount;
  uint32_t LiveBlocks; // of the heap, at the end
  uint32_t HeapUsed; // bytes, freed ones among them
  uint32_t Requests; // for memory, by the unit itself
  uint64_t RequestHash; // of their sizes
  uint32_t AnyNotString;
  uint32_t Isolation; // bit 0 user, 1 network, 2 mount, 3 process namespaces, 4 system call filter
  uint32_t FramesPoisoned; // by the sanitized variant: it sees where an index leads far from a local array
  uint32_t Functions; // how many of them, so that a wrong harness is noticed
  uint64_t ImageBegin, ImageEnd;
  char ExceptionName[256];
  uint8_t Results[MaxCalls][MaxResultSize];
};

constexpr uint64_t OutputPresent = 64u << 10;     // one byte for each function: whether this object has it
constexpr uint64_t OutputPresentSize = 64u << 10;
constexpr uint64_t OutputCounters = 256u << 10;   // coverage counters of the last run
constexpr uint64_t OutputCountersSize = 2u << 20;
constexpr uint64_t OutputOwner = 4u << 20;        // uint16 for each counter: index of its function, or behind those of a local one, or 0xffff
struct Compared {
  uint64_t Left, Right;
  uint64_t Site; // where in the code; each case of a switch is a place of its own
};
constexpr uint64_t OutputCompared = 6u << 20; // what the code compared, where that was asked for
constexpr uint32_t MaxCompared = 1024;
constexpr uint64_t OutputNotString = 7u << 20; // what the sanitized variant found out
constexpr uint64_t OutputText = 8u << 20;
constexpr uint64_t OutputTextSize = 4u << 20;
constexpr uint64_t OutputLoaded = 12u << 20; // one bit for each byte of the arena
constexpr uint64_t OutputLoadedSize = ArenaSize / 8;
constexpr uint64_t OutputLoadedByTested = OutputLoaded + OutputLoadedSize; // the same, during calls of the function under test
// What stubs saw in local variables that they were passed.
struct SeenField {
  uint32_t Argument, Field; // Argument: see stubArgument
  uint64_t Hash;
};
constexpr uint64_t OutputSeen = OutputLoadedByTested + OutputLoadedSize;
constexpr uint32_t MaxSeen = 4096;
constexpr uint64_t OutputSize = OutputSeen + MaxSeen * sizeof(SeenField);

// The tables that the generated harness defines. The generator writes them as IR of the same layout.
struct FunctionEntry {
  const char *Name;
  void (*Thunk)(uint8_t *Arguments, uint8_t *Result);
  const void *Address; // null: this object does not have it
  uint32_t ResultSize;
  uint32_t Flags;
};
constexpr uint32_t FunctionNoAlias = 1;

struct GlobalEntry {
  const char *Name;
  uint8_t *Address;
  uint64_t Size;
  uint32_t Flags;
  uint32_t MaskOffset;
};
constexpr uint32_t GlobalConstant = 1;
constexpr uint32_t GlobalThreadLocal = 2;
constexpr uint32_t GlobalForeign = 4; // another unit's: it stands in the harness, and a red zone lies behind it
constexpr uint32_t GlobalRedZone = 256;
// Arrays of other units of which nobody knows the size: in the sanitized variant they lie so far apart (function_test_build.py).
constexpr uint32_t GlobalApart = 8;
constexpr uint64_t GlobalsApart = 256u << 10;
constexpr uint32_t MaxGlobalsApart = 32;

enum ValueKind : uint32_t { ValueInteger = 0, ValueFloat = 1, ValuePointer = 2, ValueBytes = 3, ValueNone = 4 };

// A number or pointer in what a stub's argument points to. Kind is of ValueKind.
struct PointeeField {
  uint32_t Offset, Size, Kind, Boolean;
};

struct StubArgument {
  uint32_t Kind;
  uint32_t Size;
  uint32_t Offset;
  uint32_t PointeeSize; // 0: not known
  uint32_t Flags;
  uint32_t FieldCount;
  const PointeeField *Fields;
};
constexpr uint32_t ArgumentConst = 1;
constexpr uint32_t ArgumentString = 2;
constexpr uint32_t ArgumentReturned = 4;
constexpr uint32_t ArgumentNotRead = 8;
constexpr uint32_t ArgumentNotWritten = 16;
constexpr uint32_t ArgumentAllFields = 64; // there is nothing in what it points to but the fields
constexpr uint32_t ArgumentBytes = 32; // of void or of bytes: the numbers that follow may be their count

struct StubEntry {
  const char *Name;
  const void *Address;
  const StubArgument *Arguments;
  uint32_t ArgumentCount;
  uint32_t Index;
  uint32_t ResultKind;
  uint32_t ResultSize;
  uint32_t ResultPointeeSize;
  uint32_t Flags;
};
constexpr uint32_t StubNoReturn = 1;
constexpr uint32_t StubPure = 2; // only reads: calls of it may be dropped or merged
constexpr uint32_t StubReadsMemory = 4; // may read any memory
constexpr uint32_t StubFreshResult = 8; // the result aliases nothing
constexpr uint32_t StubNonNullResult = 16;
constexpr uint32_t StubStringResult = 32;
constexpr uint32_t StubCallback = 64;
constexpr uint32_t StubClobbers = 128; // may write any memory, for all that the optimizer knows

} // namespace cct
