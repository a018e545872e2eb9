// One run: the memory image is laid out, the calls are made on a stack of their own, and what they left is observed.
#include "state.h"

#include <cstdio>
#include <cstring>
#include <ctime>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

namespace cct {
namespace {

constexpr uint64_t FreshStack = 16u << 10;

ucontext_t Caller, Callee; // written before each use: restoring them does no harm

// The kernel's timers of processor time look at it four milliseconds apart: 2 ms would take 8. So it is one of the clock, and who is
// called by it looks whether the time was ours.
void setTimer(uint64_t Nanoseconds) {
  itimerval Timer{};
  const uint64_t Microseconds = (Nanoseconds + 999) / 1000;
  Timer.it_value.tv_sec = static_cast<time_t>(Microseconds / 1000000);
  Timer.it_value.tv_usec = static_cast<suseconds_t>(Microseconds % 1000000);
  setitimer(ITIMER_REAL, &Timer, nullptr);
}

uint64_t limit() { return input().TimeoutMs * uint64_t{1000000}; }

// How many words of a piece of memory point into an object; those of the object itself are left out.
uint64_t pointersInto(uint64_t Object, uint64_t Size, uint64_t Begin, uint64_t Bytes) {
  uint64_t Count = 0;
  for (uint64_t Word = Begin; Word + 8 <= Begin + Bytes; Word += 8)
    if (Word - Object >= Size)
      Count += *reinterpret_cast<const volatile uint64_t *>(Word) - Object <= Size;
  return Count;
}

// Whether more leads to what an earlier call returned than one argument: to a restrict parameter it may not be given then.
bool isShared(uint64_t Pointer, const CallEntry &C) {
  const State &S = state();
  const BlockEntry *B = blockOf(Pointer);
  int Given = objectOf(Pointer);
  if (!B && Given < 0)
    return Pointer != 0;
  uint64_t Object = B ? B->Address : ArenaBase + input().Object[Given].Offset, Size = B ? B->Size : input().Object[Given].Size;
  uint64_t Count = pointersInto(Object, Size, ArgumentsBase + C.ArgumentsOffset, C.ArgumentsSize) +
                   pointersInto(Object, Size, ArenaBase, input().ArenaUsed) + pointersInto(Object, Size, HeapBase, S.HeapUsed);
  for (uint32_t Index = 0; Index < S.ImageRanges; ++Index)
    Count += pointersInto(Object, Size, reinterpret_cast<uint64_t>(S.Ranges[Index].Begin), S.Ranges[Index].Size);
  return Count > 1;
}

// Where an argument stands for the result of an earlier call, that result is put.
void receiveResults(const CallEntry &C, uint32_t Index) {
  auto *Arguments = reinterpret_cast<uint64_t *>(ArgumentsBase + C.ArgumentsOffset);
  uint32_t Received = 0; // a bit for each earlier call
  for (uint32_t Slot = 0; Slot < C.ArgumentsSize / 8; ++Slot)
    if (uint64_t Earlier = Arguments[Slot] - ResultBase; Earlier < Index) {
      memcpy(&Arguments[Slot], output().Results[Earlier], 8);
      Received |= 1u << Earlier;
    }
  if (state().Sanitized || !(cct_functions[C.Function].Flags & FunctionNoAlias))
    return;
  for (uint32_t Earlier = 0; Earlier < Index; ++Earlier)
    if (uint64_t Pointer; Received >> Earlier & 1) {
      memcpy(&Pointer, output().Results[Earlier], 8);
      if (isShared(Pointer, C))
        endRun(OutcomeLimit, 0);
    }
}

void makeCalls() {
  State &S = state();
  if (_setjmp(S.Jump) == 0) {
    S.InCall = true;
    for (uint32_t Index = 0; Index < input().Calls; ++Index) {
      const CallEntry &C = input().Call[Index];
      if (input().Explain)
        explain("call %u: %s\n", Index + 1, cct_functions[C.Function].Name);
      receiveResults(C, Index);
      beginCall(C.Function);
      cct_functions[C.Function].Thunk(reinterpret_cast<uint8_t *>(ArgumentsBase + C.ArgumentsOffset), output().Results[Index]);
      endCall(C.Function);
      ++output().CallsDone;
    }
    S.Outcome = OutcomeReturned;
  } else if (output().CallsDone < input().Calls) {
    endCall(input().Call[output().CallsDone].Function);
  }
  S.InCall = false;
}

} // namespace

uint64_t processorTime() {
  timespec Time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &Time);
  return static_cast<uint64_t>(Time.tv_sec) * 1000000000u + static_cast<uint64_t>(Time.tv_nsec);
}

// Not memcpy: the sanitizer's looks at red zones, and the unit's data has some.
void restore(const Range &R) {
  uint8_t *To = R.Begin;
  const uint8_t *From = R.Copy;
  uint64_t Count = R.Size;
#if defined(__x86_64__)
  asm volatile("rep movsb" : "+D"(To), "+S"(From), "+c"(Count) : : "memory");
#else
  for (volatile uint8_t *Byte = To; Count > 0; --Count)
    *Byte++ = *From++;
#endif
}

namespace {

void layOut() {
  State &S = state();
  const InputHeader &I = input();
  auto *Arena = reinterpret_cast<uint8_t *>(ArenaBase);
  if (S.Break) // what the last run added to the C library's heap is gone, and comes back as zeros
    syscall(SYS_brk, S.Break);
  for (uint32_t Index = 0; Index < S.RangeCount; ++Index)
    restore(S.Ranges[Index]);
  const auto *Given = reinterpret_cast<const uint8_t *>(InputBase + InputArena);
  if (S.Sanitized) {
    // All else has been poisoned since the process began.
    __asan_poison_memory_region(Arena, S.ArenaOpened);
    __asan_poison_memory_region(reinterpret_cast<void *>(HeapBase), S.HeapUsed);
    S.ArenaOpened = I.ArenaUsed;
    for (uint32_t Index = 0; Index < S.ConstructedBlocks; ++Index)
      if (const BlockEntry &B = S.Block[Index]; !B.Freed)
        __asan_unpoison_memory_region(reinterpret_cast<void *>(B.Address), B.Size);
    for (uint32_t Index = 0; Index < I.Objects; ++Index) {
      const ObjectEntry &O = I.Object[Index];
      __asan_unpoison_memory_region(Arena + O.Offset, O.Size);
      memcpy(Arena + O.Offset, Given + O.Offset, O.Size);
    }
  } else {
    memcpy(Arena, Given, I.ArenaUsed);
  }
  memcpy(reinterpret_cast<void *>(ArgumentsBase), reinterpret_cast<const void *>(InputBase + InputArguments), I.ArgumentsUsed);
  for (uint32_t Index = 0; Index < I.Patches; ++Index) {
    const PatchEntry &P = I.Patch[Index];
    if (uint8_t *Address = cct_globals[P.Global].Address)
      memcpy(Address + P.Offset, reinterpret_cast<const void *>(InputBase + InputArguments + P.DataOffset), P.Size);
  }
  S.Outcome = OutcomeNone;
  S.Detail = 0;
  S.Fresh = freshness(I.Refill);
  S.HeapUsed = S.Constructed;
  S.Blocks = S.ConstructedBlocks;
  S.NextNumber = S.Requests = 0;
  S.RequestHash = 1;
  S.TraceHash = 1;
  S.TraceEvents = S.TextSize = S.Streams = 0;
  memset(S.StubCalls, 0, sizeof S.StubCalls);
  memset(S.ArenaFreed, 0, I.Objects);
  if (S.Sanitized && output().AnyNotString) {
    memset(reinterpret_cast<void *>(OutputBase + OutputNotString), 0, MaxStubArguments);
    output().AnyNotString = 0;
  }
  S.NoAlias = false;
  OutputHeader &O = output();
  for (uint32_t Index = 0; Index < I.Calls; ++Index) {
    S.NoAlias |= (cct_functions[I.Call[Index].Function].Flags & FunctionNoAlias) != 0;
    memset(O.Results[Index], S.Fill, cct_functions[I.Call[Index].Function].ResultSize);
  }
  O.Outcome = OutcomeNone;
  O.CallsDone = 0;
  O.FaultAddress = 0;
  O.SeenCount = O.TraceEvents = O.ClobberingCalls = O.LiveBlocks = 0;
  O.TextSize = 0;
  memset(O.ExceptionName, 0, sizeof O.ExceptionName);
}

} // namespace

void endRun(uint32_t Outcome, uint64_t Detail) {
  State &S = state();
  if (S.Constructing) // no input can be run
    _exit(EndedInConstruction);
  if (!S.InCall)
    return;
  S.InCall = false;
  S.Outcome = Outcome;
  S.Detail = Detail;
  _longjmp(S.Jump, 1);
}

void abandonRun(uint32_t Outcome, uint64_t Detail) {
  State &S = state();
  S.InCall = false;
  S.Outcome = Outcome;
  S.Detail = Detail;
  _longjmp(S.Out, 1);
}

bool isOutOfTime() {
  constexpr uint64_t Soon = 1000000, Late = 1000000000; // before the calls begin, or behind them
  const uint64_t Taken = processorTime() - state().Begin;
  if (Taken >= limit() + (state().InCall ? 0 : Late))
    return true;
  setTimer(Taken < limit() ? limit() - Taken : Soon);
  return false;
}

void run() {
  layOut();
  beginCoverage();
  State &S = state();
  S.Begin = processorTime();
  setTimer(limit());
  if (S.Sanitized) {
    S.OwnStackEnd = reinterpret_cast<uint64_t>(__builtin_frame_address(0));
    makeCalls(); // AddressSanitizer knows the stack that the thread was given
  } else {
    const uint64_t Fresh = S.Fresh; // this is much, and nothing that is written here changes it
    for (uint64_t Address = StackBase + StackSize - FreshStack; Address < StackBase + StackSize; Address += 8)
      *reinterpret_cast<uint64_t *>(Address) = mix(Fresh, Address / 8);
    getcontext(&Callee);
    Callee.uc_stack.ss_sp = reinterpret_cast<void *>(StackBase);
    Callee.uc_stack.ss_size = StackSize;
    Callee.uc_link = &Caller;
    makecontext(&Callee, makeCalls, 0);
    if (_setjmp(S.Out) == 0)
      swapcontext(&Caller, &Callee);
  }
  setTimer(0);
  output().Nanoseconds = processorTime() - S.Begin;
  if (S.Outcome == OutcomeSignal || S.Outcome == OutcomeTimeout) { // of what is left then nothing is compared
    if (S.Outcome == OutcomeSignal && output().CallsDone < input().Calls) // how far it came
      endCall(input().Call[output().CallsDone].Function);
    output().Outcome = S.Outcome;
    output().Detail = S.Detail;
    return;
  }
  observe();
}

} // namespace cct
