#include "lock.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SHA256.h"

using namespace llvm;

namespace cc_agent {
namespace {

constexpr StringLiteral Header = "{\n  \"format\": \"cc-agent-lock\",\n  \"version\": 1,\n  \"plans\": {";

Error fault(StringRef path, const Twine &message) { return createStringError(inconvertibleErrorCode(), path + ": " + message); }

/// Says why a file that does not begin and end as our own writer leaves it cannot be used.
Error explain(StringRef path, StringRef text) {
  if (text.contains("\n<<<<<<< "))
    return fault(path, "has merge conflict markers: resolve them, keeping either entry whole");
  auto parsed = json::parse(text);
  if (!parsed)
    return fault(path, "is not a cc-agent lock (" + toString(parsed.takeError()) + "): restore it, or remove it and tune again");
  auto *root = parsed->getAsObject();
  if (!root || root->getString("format").value_or("") != "cc-agent-lock")
    return fault(path, "is not a cc-agent lock: restore it, or remove it and tune again");
  if (int64_t version = root->getInteger("version").value_or(-1); version != 1)
    return fault(path, "is of format version " + Twine(version) + ", and this cc-agent reads version 1: update cc-agent");
  return fault(path, "was reformatted: `compiler-agent verify " + path + " --rewrite` puts it back into its own form");
}

} // namespace

Expected<std::optional<std::string>> findPlan(StringRef path, StringRef key) {
  auto file = MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!file) {
    if (file.getError() == std::errc::no_such_file_or_directory)
      return std::nullopt;
    return fault(path, "cannot be read: " + file.getError().message());
  }
  StringRef text = (*file)->getBuffer();
  if (!text.starts_with(Header) || !text.ends_with("}\n"))
    return explain(path, text);

  // One entry is found by text: parsing a lock of hundreds of plans would cost more than the look-up is worth.
  size_t start = text.find(("\n    \"" + key + "\": {").str());
  if (start == StringRef::npos)
    return std::nullopt;
  size_t open = text.find('{', start), close = text.find("\n    }", start);
  auto entry = json::parse(close == StringRef::npos ? StringRef() : text.slice(open, close + 6));
  if (!entry)
    return fault(path, "entry " + key + " is corrupt: " + toString(entry.takeError()));
  auto *fields = entry->getAsObject();
  auto plan = fields ? fields->getString("plan") : std::nullopt;
  auto digest = fields ? fields->getString("plan_sha256") : std::nullopt;
  auto verdict = fields ? fields->getString("verdict") : std::nullopt;
  auto llvmVersion = fields ? fields->getString("llvm") : std::nullopt;
  if (!plan || !digest || !llvmVersion || !verdict)
    return fault(path, "entry " + key + " lacks plan, plan_sha256, llvm or verdict");
  if (*verdict != "established")
    return fault(path, "entry " + key + " has the verdict " + *verdict + ", and only established plans are replayed; tune again");
  if (*llvmVersion != LLVM_VERSION_STRING)
    return fault(path, "entry " + key + " was established with LLVM " + *llvmVersion + ", and this is " LLVM_VERSION_STRING ": tune again");
  auto actual = SHA256::hash(ArrayRef(plan->bytes_begin(), plan->size()));
  if (toHex(actual, /*LowerCase=*/true) != *digest)
    return fault(path, "entry " + key + " was edited: its evidence belongs to another plan; tune again");
  return plan->str();
}

} // namespace cc_agent
