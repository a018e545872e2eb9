// One run: the memory image is laid out, the calls are made on a stack of their own, and what they left is observed.
#include "state.h"

#include <cstdio>
#include <cstring>
#include <ctime>
#include <sys/time.h>
#include <ucontext.h>

namespace cct {
namespace {

constexpr uint64_t FreshStack = 16u << 10;

ucontext_t Caller, Callee; // written before each use: restoring them does no harm

void setTimer(uint32_t Milliseconds) {
  itimerval Timer{};
  Timer.it_value.tv_sec = Milliseconds / 1000;
  Timer.it_value.tv_usec = Milliseconds % 1000 * 1000;
  // A copy of gigabytes that the sanitizer looks through is the kernel's time.
  setitimer(state().Sanitized ? ITIMER_PROF : ITIMER_VIRTUAL, &Timer, nullptr);
}

uint64_t now() {
  timespec Time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &Time);
  return static_cast<uint64_t>(Time.tv_sec) * 1000000000u + static_cast<uint64_t>(Time.tv_nsec);
}

// Where an argument stands for the result of an earlier call, that result is put.
void receiveResults(const CallEntry &C, uint32_t Index) {
  auto *Arguments = reinterpret_cast<uint64_t *>(ArgumentsBase + C.ArgumentsOffset);
  for (uint32_t Slot = 0; Slot < C.ArgumentsSize / 8; ++Slot)
    if (uint64_t Earlier = Arguments[Slot] - ResultBase; Earlier < Index)
      memcpy(&Arguments[Slot], output().Results[Earlier], 8);
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
  for (uint32_t Index = 0; Index < S.RangeCount; ++Index)
    restore(S.Ranges[Index]);
  const auto *Given = reinterpret_cast<const uint8_t *>(InputBase + InputArena);
  if (S.Sanitized) {
    __asan_poison_memory_region(Arena, I.ArenaUsed + (64u << 10));
    __asan_poison_memory_region(reinterpret_cast<void *>(HeapBase), 256u << 10);
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
  S.HeapUsed = 0;
  S.Blocks = S.NextNumber = S.Requests = 0;
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
  O.SeenCount = O.TraceEvents = O.LiveBlocks = 0;
  O.TextSize = 0;
  memset(O.ExceptionName, 0, sizeof O.ExceptionName);
}

} // namespace

void endRun(uint32_t Outcome, uint64_t Detail) {
  State &S = state();
  if (!S.InCall)
    return;
  S.InCall = false;
  S.Outcome = Outcome;
  S.Detail = Detail;
  _longjmp(S.Jump, 1);
}

void run() {
  layOut();
  beginCoverage();
  State &S = state();
  uint64_t Begin = now();
  setTimer(input().TimeoutMs);
  if (S.Sanitized) {
    S.OwnStackEnd = reinterpret_cast<uint64_t>(__builtin_frame_address(0));
    makeCalls(); // AddressSanitizer knows the stack that the thread was given
  } else {
    for (uint64_t Address = StackBase + StackSize - FreshStack; Address < StackBase + StackSize; Address += 8)
      *reinterpret_cast<uint64_t *>(Address) = unwritten(Address);
    getcontext(&Callee);
    Callee.uc_stack.ss_sp = reinterpret_cast<void *>(StackBase);
    Callee.uc_stack.ss_size = StackSize;
    Callee.uc_link = &Caller;
    makecontext(&Callee, makeCalls, 0);
    swapcontext(&Caller, &Callee);
  }
  setTimer(0);
  output().Nanoseconds = now() - Begin;
  observe();
}

} // namespace cct
