#include "description.h"

#include <fstream>
#include <sstream>

namespace cct {
namespace {

std::string decoded(const std::string &Word) {
  if (Word == "-")
    return "";
  std::string Result;
  for (size_t Index = 0; Index < Word.size(); ++Index)
    if (Word[Index] == '%' && Index + 2 < Word.size()) {
      Result += static_cast<char>(std::stoi(Word.substr(Index + 1, 2), nullptr, 16));
      Index += 2;
    } else {
      Result += Word[Index];
    }
  return Result;
}

std::string word(std::istream &In) {
  std::string Result;
  In >> Result;
  return decoded(Result);
}

template <typename Number> Number number(std::istream &In) {
  Number Result{};
  In >> Result;
  return Result;
}

bool flag(std::istream &In) { return number<int>(In) != 0; }

bool soundsLikeLength(const std::string &Name) {
  if (Name == "n" || Name == "N")
    return true;
  for (const char *Part : {"len", "Len", "LEN", "size", "Size", "count", "Count", "num", "Num", "avail", "cap", "max", "nb"})
    if (Name.find(Part) != std::string::npos)
      return true;
  return false;
}

bool readType(std::istream &In, TypeNode &T) {
  using Kind = TypeNode::Kind;
  std::string Word = word(In);
  if (Word == "void") {
    T.What = Kind::Void;
  } else if (Word == "int" || Word == "char") {
    T.What = Word == "int" ? Kind::Integer : Kind::Character;
    T.Size = number<uint32_t>(In);
    T.Signed = flag(In);
    T.Name = word(In);
  } else if (Word == "float" || Word == "bool") {
    T.What = Word == "float" ? Kind::Float : Kind::Bool;
    T.Size = number<uint32_t>(In);
    T.Name = word(In);
  } else if (Word == "enum") {
    T.What = Kind::Enumeration;
    T.Size = number<uint32_t>(In);
    T.Name = word(In);
    T.Values.resize(number<uint32_t>(In));
    for (int64_t &Value : T.Values)
      In >> Value;
  } else if (Word == "pointer") {
    T.What = Kind::Pointer;
    T.Size = 8;
    T.Target = number<uint32_t>(In);
    T.Const = flag(In);
    T.Restrict = flag(In);
    T.Reference = flag(In);
  } else if (Word == "array") {
    T.What = Kind::Array;
    T.Size = number<uint32_t>(In);
    T.Target = number<uint32_t>(In);
    T.Count = number<uint32_t>(In);
  } else if (Word == "struct" || Word == "union") {
    T.What = Word == "struct" ? Kind::Structure : Kind::Union;
    T.Size = number<uint32_t>(In);
    T.Name = word(In);
    T.File = T.Name == "_IO_FILE" || T.Name == "__sFILE";
    T.Members.resize(number<uint32_t>(In));
    for (Member &M : T.Members) {
      In >> M.Offset >> M.BitOffset >> M.BitSize >> M.Type;
      M.Name = word(In);
      M.Length = soundsLikeLength(M.Name);
    }
  } else if (Word == "function") {
    T.What = Kind::Function;
    T.Callback = number<uint32_t>(In);
  } else if (Word == "opaque") {
    T.What = Kind::Opaque;
    T.Name = word(In);
    T.File = T.Name == "_IO_FILE" || T.Name == "FILE" || T.Name == "__sFILE";
  } else {
    return false;
  }
  return !In.fail();
}

bool readLine(std::istream &In, Description &D) {
  std::string What = word(In);
  FunctionNode *F = D.Functions.empty() ? nullptr : &D.Functions.back();
  if (What == "triple") {
    D.Triple = word(In);
  } else if (What == "language") {
    D.Cxx = word(In) == "c++";
  } else if (What == "optimizing") {
    word(In); // for whoever builds the executables
  } else if (What == "type") {
    if (number<uint32_t>(In) != D.Types.size())
      return false;
    D.Types.emplace_back();
    return readType(In, D.Types.back());
  } else if (What == "function") {
    number<uint32_t>(In);
    FunctionNode New;
    New.Name = word(In);
    New.Unsupported = word(In);
    In >> New.BufferSize >> New.ResultType >> New.ResultSize;
    New.NoAlias = flag(In);
    New.MayBeMissing = flag(In);
    D.Functions.push_back(New);
  } else if (What == "parameter" && F) {
    uint32_t Type = number<uint32_t>(In);
    std::string Name = word(In);
    F->Parameters.push_back({Type, Name, soundsLikeLength(Name)});
  } else if (What == "piece" && F) {
    PieceNode P;
    P.Kind = word(In);
    In >> P.Slot >> P.Size >> P.Source >> P.Offset;
    F->Pieces.push_back(P);
  } else if (What == "constant" && F) {
    F->Constants.push_back(number<uint64_t>(In));
    if (uint64_t Value = F->Constants.back(); Value > 257 && Value <= 70000)
      F->Sizes.push_back(static_cast<uint32_t>(Value));
  } else if (What == "string" && F) {
    F->Strings.push_back(word(In));
  } else if (What == "calls" && F) {
    F->Stubs.push_back(number<uint32_t>(In));
  } else if (What == "local" && F) {
    F->Locals.push_back(number<uint32_t>(In));
  } else if (What == "structure" && F) {
    F->Structures.push_back(number<uint32_t>(In));
  } else if (What == "global") {
    number<uint32_t>(In);
    GlobalNode G;
    G.Name = word(In);
    In >> G.Size >> G.Type;
    G.Defined = flag(In);
    G.Constant = flag(In);
    D.Globals.push_back(G);
  } else if (What == "stub") {
    number<uint32_t>(In);
    D.Stubs.push_back(word(In));
    D.StubResults.push_back(number<uint32_t>(In));
  } else if (What == "callback") {
    number<uint32_t>(In);
    CallbackNode C;
    In >> C.Type;
    C.Usable = flag(In);
    D.Callbacks.push_back(C);
  } else {
    return false;
  }
  return !In.fail();
}

} // namespace

std::string Description::spelled(uint32_t Number) const {
  const TypeNode &T = type(Number);
  switch (T.What) {
  case TypeNode::Kind::Void:
    return "void";
  case TypeNode::Kind::Structure:
    return T.Name.empty() ? "struct" : "struct " + T.Name;
  case TypeNode::Kind::Union:
    return T.Name.empty() ? "union" : "union " + T.Name;
  case TypeNode::Kind::Enumeration:
    return T.Name.empty() ? "int" : "enum " + T.Name;
  case TypeNode::Kind::Pointer:
    return (T.Const ? "const " : "") + spelled(T.Target) + " *";
  case TypeNode::Kind::Array:
    return spelled(T.Target) + "[" + std::to_string(T.Count) + "]";
  case TypeNode::Kind::Function:
    return "function";
  case TypeNode::Kind::Opaque:
    return T.Name.empty() ? "opaque" : "struct " + T.Name;
  default:
    return T.Name.empty() ? "long" : T.Name;
  }
}

bool readDescription(const std::string &Path, Description &Result, std::string &Problem) {
  std::ifstream File(Path);
  std::string Line;
  if (!std::getline(File, Line) || Line != "cc-agent-test-description 1") {
    Problem = Path + " is not a description of version 1";
    return false;
  }
  for (unsigned Number = 2; std::getline(File, Line); ++Number) {
    std::istringstream In(Line);
    if (!readLine(In, Result)) {
      Problem = Path + ":" + std::to_string(Number) + ": cannot be read: " + Line.substr(0, 200);
      return false;
    }
  }
  return true;
}

} // namespace cct
