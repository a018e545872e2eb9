// What the generator of harnesses said about a unit: its types, functions, globals and stubs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cct {

struct Member {
  uint32_t Offset, BitOffset, BitSize;
  uint32_t Type;
  std::string Name;
  bool Length; // its name says that it is one
};

struct TypeNode {
  enum class Kind { Void, Integer, Float, Bool, Character, Enumeration, Pointer, Array, Structure, Union, Function, Opaque };
  Kind What = Kind::Void;
  uint32_t Size = 0;
  bool Signed = false;
  bool File = false; // the C library's
  std::string Name;
  std::vector<int64_t> Values; // of an enumeration
  uint32_t Target = 0;         // pointee or element
  uint32_t Count = 0;          // of an array
  bool Const = false, Restrict = false, Reference = false;
  std::vector<Member> Members;
  uint32_t Callback = 0;
};

struct ParameterNode {
  uint32_t Type;
  std::string Name;
  bool Length;
};

struct PieceNode {
  std::string Kind;
  uint32_t Slot, Size, Source, Offset;
};

struct FunctionNode {
  std::string Name, Unsupported;
  uint32_t BufferSize = 0, ResultType = 0, ResultSize = 0;
  bool NoAlias = false, MayBeMissing = false;
  std::vector<ParameterNode> Parameters;
  std::vector<PieceNode> Pieces;
  std::vector<uint64_t> Constants;
  std::vector<uint32_t> Sizes; // of them, those that may be of an array that is larger than most
  std::vector<std::string> Strings;
  std::vector<uint32_t> Stubs;      // functions of other units that it may reach
  std::vector<uint32_t> Locals;     // functions that only the unit sees, and that it calls
  std::vector<uint32_t> Structures; // that its pointers point to, and those of what it calls
};

struct GlobalNode {
  std::string Name;
  uint32_t Size = 0, Type = 0;
  bool Defined = false, Constant = false;
};

struct CallbackNode {
  uint32_t Type = 0;
  bool Usable = false;
};

struct Description {
  std::string Triple;
  bool Cxx = false;
  std::vector<TypeNode> Types;
  std::vector<FunctionNode> Functions;
  std::vector<GlobalNode> Globals;
  std::vector<CallbackNode> Callbacks;
  std::vector<std::string> Stubs;
  std::vector<uint32_t> StubResults; // their types; 0 where it is no pointer

  const TypeNode &type(uint32_t Number) const { return Types[Number]; }
  // The type as C would write it, as far as a report needs it.
  std::string spelled(uint32_t Number) const;
};

// Reads the file; on failure Problem says what is wrong where.
bool readDescription(const std::string &Path, Description &Result, std::string &Problem);

} // namespace cct
