// A refutation in words: the objects, the calls, and what the two variants made of them.
#include "search.h"

#include <algorithm>
#include <cstdarg>
#include <cstring>

namespace cct {
namespace {

using Kind = TypeNode::Kind;

constexpr uint32_t MostShown = 1024; // elements of an array
const char *const More = ", /* and more */}";

std::string format(const char *Format, ...) __attribute__((format(printf, 1, 2)));
std::string format(const char *Format, ...) {
  char Buffer[512];
  va_list Arguments;
  va_start(Arguments, Format);
  vsnprintf(Buffer, sizeof Buffer, Format, Arguments);
  va_end(Arguments);
  return Buffer;
}

class Printer {
public:
  Printer(const Description &D, const Generator &Inputs) : D(D), Inputs(Inputs) {}

  std::string pointer(uint64_t Value) const {
    if (Value == 0)
      return "NULL";
    if (Value >= CallbackBase && Value < CallbackBase + MaxCallbacks * CallbackStride)
      return format("cct_callback_%u", static_cast<unsigned>((Value - CallbackBase) / CallbackStride));
    if (Value - ResultBase < MaxCalls)
      return format("result%u", static_cast<unsigned>(Value - ResultBase + 1));
    for (size_t Index = 0; Index < Inputs.objects().size(); ++Index) {
      const ArenaObject &O = Inputs.objects()[Index];
      uint64_t Begin = ArenaBase + O.Offset;
      if (Value >= Begin && Value <= Begin + O.Size) {
        std::string Name = format("object%zu", Index);
        return Value == Begin ? (O.Count == 1 && O.Type ? "&" + Name : Name) : format("(void *)((char *)&%s + %u)", Name.c_str(), static_cast<unsigned>(Value - Begin));
      }
    }
    return format("(void *)0x%llx", static_cast<unsigned long long>(Value));
  }

  std::string value(uint32_t Type, const uint8_t *Bytes) const {
    const TypeNode &T = D.type(Type);
    switch (T.What) {
    case Kind::Pointer: {
      uint64_t Value;
      memcpy(&Value, Bytes, 8);
      return pointer(Value);
    }
    case Kind::Float: {
      if (T.Size == 4) {
        float Value;
        memcpy(&Value, Bytes, 4);
        return format("%a", static_cast<double>(Value));
      }
      if (T.Size == 16) {
        long double Value = 0;
        memcpy(&Value, Bytes, 10);
        return format("%LaL", Value);
      }
      double Value;
      memcpy(&Value, Bytes, 8);
      return format("%a", Value);
    }
    case Kind::Array: {
      uint32_t Size = D.type(T.Target).Size;
      uint32_t Used = T.Count;
      while (Used > 1 && std::all_of(Bytes + (Used - 1) * Size, Bytes + Used * Size, [](uint8_t B) { return B == 0; }))
        --Used; // what is not named is zero
      std::string Result = "{";
      for (uint32_t Index = 0; Index < Used; ++Index)
        Result += (Index ? ", " : "") + value(T.Target, Bytes + Index * Size);
      return Result + "}";
    }
    case Kind::Structure:
    case Kind::Union: {
      std::string Result = "{";
      for (const Member &M : T.Members) {
        std::string Name = M.Name.empty() ? "" : "." + M.Name + " = ";
        if (M.BitSize) {
          uint64_t Value = 0;
          for (uint32_t Bit = 0; Bit < M.BitSize && Bit < 64; ++Bit)
            Value |= uint64_t(Bytes[(M.BitOffset + Bit) / 8] >> (M.BitOffset + Bit) % 8 & 1) << Bit;
          if (Value)
            Result += (Result.size() > 1 ? ", " : "") + Name + format("%llu", static_cast<unsigned long long>(Value));
        } else if (uint32_t Size = D.type(M.Type).Size; Size && std::any_of(Bytes + M.Offset, Bytes + M.Offset + Size, [](uint8_t B) { return B != 0; })) {
          Result += (Result.size() > 1 ? ", " : "") + Name + value(M.Type, Bytes + M.Offset);
        }
        if (T.What == Kind::Union)
          break;
      }
      return Result + "}";
    }
    default: {
      if (T.Size > 8)
        return "/* " + std::to_string(T.Size) + " bytes */";
      int64_t Value = 0;
      memcpy(&Value, Bytes, T.Size);
      unsigned Unused = 64 - 8 * T.Size;
      if (T.Size && T.Size < 8 && (T.Signed || T.What == Kind::Enumeration))
        Value = static_cast<int64_t>(static_cast<uint64_t>(Value) << Unused) >> Unused;
      return T.Signed || T.Size < 8 ? format("%lld", static_cast<long long>(Value)) : format("%lluu", static_cast<unsigned long long>(Value));
    }
    }
  }

  std::string bytes(const uint8_t *Data, uint32_t Size) const {
    std::string Result = "{";
    while (Size > 1 && Data[Size - 1] == 0)
      --Size;
    for (uint32_t Index = 0; Index < std::min(Size, MostShown); ++Index)
      Result += format(Index ? ", %u" : "%u", Data[Index]);
    return Result + (Size > MostShown ? More : "}");
  }

  std::string object(size_t Index, const uint8_t *Arena) const {
    const ArenaObject &O = Inputs.objects()[Index];
    const TypeNode &T = D.type(O.Type);
    const uint8_t *Data = Arena + O.Offset;
    if (T.Size == 0)
      return format("unsigned char object%zu[%u] = ", Index, O.Size) + bytes(Data, O.Size) + ";";
    if (O.Count == 1)
      return D.spelled(O.Type) + format(" object%zu = ", Index) + value(O.Type, Data) + ";";
    uint32_t Used = O.Count;
    while (Used > 1 && std::all_of(Data + (Used - 1) * T.Size, Data + Used * T.Size, [](uint8_t B) { return B == 0; }))
      --Used;
    std::string Result = D.spelled(O.Type) + format(" object%zu[%u] = {", Index, O.Count);
    for (uint32_t Element = 0; Element < std::min(Used, MostShown); ++Element)
      Result += (Element ? ", " : "") + value(O.Type, Data + Element * T.Size);
    return Result + (Used > MostShown ? More : "}") + ";";
  }

  // Where in an object an offset lies: .member[3].other
  std::string path(uint32_t Type, uint32_t Offset) const {
    const TypeNode &T = D.type(Type);
    if (T.What == Kind::Array && D.type(T.Target).Size)
      return format("[%u]", Offset / D.type(T.Target).Size) + path(T.Target, Offset % D.type(T.Target).Size);
    if (T.What == Kind::Structure)
      for (const Member &M : T.Members) {
        uint32_t Begin = M.BitSize ? M.BitOffset / 8 : M.Offset;
        uint32_t End = M.BitSize ? (M.BitOffset + M.BitSize + 7) / 8 : M.Offset + D.type(M.Type).Size;
        if (Offset >= Begin && Offset < End)
          return "." + M.Name + (M.BitSize ? "" : path(M.Type, Offset - Begin));
      }
    return Offset ? format("+%u", Offset) : "";
  }

  // What a function of another unit writes, though it was not given it.
  std::string clobber(const ClobberEntry &C) const {
    for (size_t Index = 0; Index < Inputs.objects().size(); ++Index)
      if (const ArenaObject &O = Inputs.objects()[Index]; C.Offset >= O.Offset && C.Offset < O.Offset + O.Size) {
        uint32_t At = C.Offset - O.Offset, Element = std::max(1u, D.type(O.Type).Size);
        return format("// during call %u of those that may write any memory, object%zu", C.Call + 1, Index) + (O.Count > 1 ? format("[%u]", At / Element) : "") +
               path(O.Type, At % Element) + " becomes " + (C.Size == 8 && C.Value - ArenaBase < ArenaSize ? pointer(C.Value) : format("%llu", static_cast<unsigned long long>(C.Value))) + "\n";
      }
    return "";
  }

private:
  const Description &D;
  const Generator &Inputs;
};

std::string outcomeText(const Description &D, const OutputHeader &O) {
  switch (O.Outcome) {
  case OutcomeReturned:
    return "returns";
  case OutcomeExit:
    return format("exits with status %llu", static_cast<unsigned long long>(O.Detail));
  case OutcomeAbort:
    return "aborts";
  case OutcomeException:
    return std::string("throws ") + O.ExceptionName;
  case OutcomeNoReturn:
    return "calls " + (O.Detail < D.Stubs.size() ? D.Stubs[O.Detail] : "a function") + ", which does not return";
  case OutcomeSignal:
    return format("crashes (signal %llu, address 0x%llx)", static_cast<unsigned long long>(O.Detail), static_cast<unsigned long long>(O.FaultAddress));
  case OutcomeTimeout:
    return "does not end";
  case OutcomeBadFree:
    return "frees memory that is not allocated, or not any more";
  case OutcomeLimit:
    return O.Detail == 1 ? "calls other functions over and over" : "needs more memory than a test may";
  case OutcomeForbidden:
    return format("makes the forbidden system call %llu", static_cast<unsigned long long>(O.Detail));
  default:
    return "ends in a way that says nothing";
  }
}

std::vector<std::string> lines(const Variant &V) {
  std::vector<std::string> Result;
  std::string Text(V.text(), V.output().TextSize);
  for (size_t Begin = 0; Begin < Text.size();) {
    size_t End = Text.find('\n', Begin);
    if (End == std::string::npos)
      End = Text.size();
    Result.push_back(Text.substr(Begin, End - Begin));
    Begin = End + 1;
  }
  return Result;
}

} // namespace

std::string explainDifference(const Description &D, SharedInput &Input, Variants &All, const Generator &Inputs) {
  Printer P(D, Inputs);
  std::string Result;
  for (size_t Index = 0; Index < Inputs.objects().size(); ++Index)
    Result += P.object(Index, Input.arena()) + "\n";
  const InputHeader &H = Input.header();
  for (uint32_t Index = 0; Index < H.Patches; ++Index) {
    const GlobalNode &G = D.Globals[H.Patch[Index].Global];
    Result += G.Name + " = " + P.value(G.Type, Input.arguments() + H.Patch[Index].DataOffset) + ";\n";
  }
  if (H.Denied)
    Result += format("// request %u for memory is denied\n", H.Denied);
  for (uint32_t Index = 0; Index < H.Clobbers; ++Index)
    Result += P.clobber(H.Clobber[Index]);
  for (size_t Index = 0; Index < Inputs.calls().size(); ++Index) {
    const BuiltCall &Call = Inputs.calls()[Index];
    const FunctionNode &F = D.Functions[Call.Function];
    if (Inputs.isReceived(Index))
      Result += D.spelled(F.ResultType) + format(" result%zu = ", Index + 1);
    Result += F.Name + "(";
    for (size_t Number = 0; Number < F.Parameters.size(); ++Number)
      Result += (Number ? ", " : "") + P.value(F.Parameters[Number].Type, Call.Parameters[Number].data());
    Result += ");\n";
  }
  Input.header().Explain = 1;
  All.Reference->run(1000, true);
  All.Candidate->run(1000, true);
  Input.header().Explain = 0;
  const OutputHeader &Expected = All.Reference->output(), &Got = All.Candidate->output();
  Result += "// the reference " + outcomeText(D, Expected) + ", the candidate " + outcomeText(D, Got) + "\n";
  for (uint32_t Index = 0; Index < std::min(Expected.CallsDone, Got.CallsDone); ++Index) {
    const FunctionNode &F = D.Functions[Inputs.calls()[Index].Function];
    if (F.ResultSize && memcmp(Expected.Results[Index], Got.Results[Index], F.ResultSize) != 0 && F.ResultType)
      Result += format("// call %u returns ", Index + 1) + P.value(F.ResultType, Expected.Results[Index]) + " in the reference, " +
                P.value(F.ResultType, Got.Results[Index]) + " in the candidate\n";
  }
  unsigned Shown = 0;
  bool Comparable = Got.Outcome == OutcomeReturned && Expected.Outcome == OutcomeReturned;
  for (size_t Index = 0; Comparable && Index < Inputs.objects().size(); ++Index) {
    const ArenaObject &O = Inputs.objects()[Index];
    for (uint32_t Byte = 0; Byte < O.Size && Shown < 12; ++Byte) {
      uint32_t At = O.Offset + Byte;
      if (!((All.Reference->arena()[At] ^ All.Candidate->arena()[At]) & countedBits(Input.mask()[At])))
        continue;
      uint32_t Element = std::max(1u, D.type(O.Type).Size);
      std::string Where = format("object%zu", Index) + (O.Count > 1 ? format("[%u]", Byte / Element) : "") + P.path(O.Type, Byte % Element);
      Result += "// " + Where + format(": byte 0x%02x in the reference, 0x%02x in the candidate\n", All.Reference->arena()[At], All.Candidate->arena()[At]);
      ++Shown;
    }
  }
  static const char *const Names[] = {"results", "memory", "globals", "allocated memory", "external calls", "output"};
  std::string Parts;
  for (uint32_t Part = 0; Part < PartCount; ++Part)
    if (Expected.Hash[Part] != Got.Hash[Part])
      Parts += (Parts.empty() ? "" : ", ") + std::string(Names[Part]);
  if (Got.LiveBlocks > Expected.LiveBlocks)
    Parts += (Parts.empty() ? "" : ", ") + format("%u blocks are allocated at the end, not %u", Got.LiveBlocks, Expected.LiveBlocks);
  if (Comparable)
    Result += "// what differs: " + Parts + "\n";
  std::vector<std::string> A = lines(*All.Reference), B = lines(*All.Candidate);
  for (size_t Index = 0; Index < std::max(A.size(), B.size()); ++Index) {
    std::string Left = Index < A.size() ? A[Index] : "(nothing)", Right = Index < B.size() ? B[Index] : "(nothing)";
    if (Left != Right) {
      Result += "// external event " + std::to_string(Index + 1) + ": " + Left + " in the reference, " + Right + " in the candidate\n";
      break;
    }
  }
  return Result;
}

} // namespace cct
