#include "serve.h"

#include "fingerprint.h"
#include "limits.h"
#include "object_sizes.h"
#include "plan.h"
#include "run_plan.h"
#include "status.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/IR/Module.h"
#include "llvm/TargetParser/Triple.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"
#include <chrono>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace llvm;

namespace cc_agent {
namespace {

struct Request {
  std::string plan;
  bool wantsObject = true;
  Limits limits{60, uint64_t(2) << 30};
};

/// A file in memory that holds what a child writes; gone when both have closed it.
class MemoryFile {
public:
  MemoryFile() : descriptor(memfd_create("cc-agent", MFD_CLOEXEC)) {}
  ~MemoryFile() { close(descriptor); }
  MemoryFile(const MemoryFile &) = delete;
  MemoryFile &operator=(const MemoryFile &) = delete;

  int get() const { return descriptor; }

  /// The last `most` bytes.
  std::string tail(size_t most) const {
    struct stat information;
    if (fstat(descriptor, &information) != 0 || information.st_size == 0)
      return "";
    size_t size = std::min(size_t(information.st_size), most);
    std::string text(size, '\0');
    ssize_t count = pread(descriptor, text.data(), size, off_t(information.st_size) - off_t(size));
    text.resize(count > 0 ? size_t(count) : 0);
    return text;
  }

  /// Calls `use` with the whole content.
  template <typename Use> auto withContent(Use use) const {
    struct stat information;
    size_t size = fstat(descriptor, &information) == 0 ? size_t(information.st_size) : 0;
    void *mapped = size ? mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0) : MAP_FAILED;
    auto result = use(mapped == MAP_FAILED ? StringRef() : StringRef(static_cast<const char *>(mapped), size));
    if (mapped != MAP_FAILED)
      munmap(mapped, size);
    return result;
  }

private:
  int descriptor;
};

/// One line of text at a time over the socket.
class Channel {
public:
  explicit Channel(int descriptor) : descriptor(descriptor) {}

  bool readLine(std::string &line) {
    size_t end;
    while ((end = pending.find('\n')) == std::string::npos) {
      char buffer[65536];
      ssize_t count = read(descriptor, buffer, sizeof buffer);
      if (count < 0 && errno == EINTR)
        continue;
      if (count <= 0)
        return false;
      pending.append(buffer, size_t(count));
    }
    line = pending.substr(0, end);
    pending.erase(0, end + 1);
    return true;
  }

  bool writeLine(json::Object object) {
    std::string line;
    raw_string_ostream(line) << json::Value(std::move(object)) << '\n';
    for (StringRef left = line; !left.empty();) {
      ssize_t count = write(descriptor, left.data(), left.size());
      if (count < 0 && errno == EINTR)
        continue;
      if (count <= 0)
        return false;
      left = left.drop_front(size_t(count));
    }
    return true;
  }

private:
  int descriptor;
  std::string pending;
};

Expected<Request> parseRequest(StringRef line) {
  auto parsed = json::parse(line);
  if (!parsed)
    return parsed.takeError();
  auto *fields = parsed->getAsObject();
  if (!fields || !fields->getString("plan"))
    return createStringError(inconvertibleErrorCode(), "a request is an object with a plan");
  Request request;
  request.plan = fields->getString("plan")->str();
  request.wantsObject = fields->getString("measure").value_or("object") == "object";
  request.limits.timeoutSeconds = fields->getNumber("timeout_s").value_or(request.limits.timeoutSeconds);
  request.limits.memoryBytes = uint64_t(fields->getInteger("memory_bytes").value_or(int64_t(request.limits.memoryBytes)));
  return request;
}

class Server {
public:
  explicit Server(ServedModule &served) : served(served), channel(servingDescriptor()) {}

  /// Returns in a child that is to emit its object; ends the process when the client has gone.
  void run() {
    channel.writeLine(json::Object{{"event", "ready"},
                       {"key", served.key},
                       {"llvm", LLVM_VERSION_STRING},
                       {"target", served.module.getTargetTriple().str()},
                       {"ir_instructions", int64_t(served.module.getInstructionCount())}});
    std::string line;
    while (channel.readLine(line)) {
      auto request = parseRequest(line);
      if (!request) {
        channel.writeLine(json::Object{{"outcome", "error"}, {"message", toString(request.takeError())}});
        continue;
      }
      auto reply = evaluate(*request);
      if (!reply) // this is the child
        return;
      channel.writeLine(std::move(*reply));
    }
    _exit(0);
  }

private:
  ServedModule &served;
  Channel channel;
  StringMap<ObjectSizes> known; ///< by the module's fingerprint after the pipeline and the code generation options

  /// The reply, or nothing in the child that goes on to code generation.
  std::optional<json::Object> evaluate(const Request &request) {
    auto start = std::chrono::steady_clock::now();
    MemoryFile object, complaints;
    int report[2];
    if (pipe(report) != 0)
      return json::Object{{"outcome", "error"}, {"message", "cannot make a pipe"}};
    int self = getpid();
    int child = fork();
    if (child < 0) {
      close(report[0]);
      close(report[1]);
      return json::Object{{"outcome", "error"}, {"message", "cannot fork"}};
    }
    if (child == 0) {
      confineChild(request.limits, self);
      dup2(object.get(), STDOUT_FILENO);
      dup2(complaints.get(), STDERR_FILENO);
      close(report[0]);
      close(servingDescriptor());
      if (!runInChild(request, report[1]))
        _exit(0);
      return std::nullopt; // report[1] stays open: the parent sees its end when this process ends
    }
    close(report[1]);
    std::string text;
    Ending ending = awaitChild(child, report[0], request.limits, text);
    close(report[0]);
    json::Object reply = describe(request, ending, text, object, complaints);
    reply["wall_time_s"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return reply;
  }

  /// In the child: applies the plan and reports the module. True when an object is still to be emitted.
  bool runInChild(const Request &request, int report) {
    auto say = [report](json::Object object) { Channel(report).writeLine(std::move(object)); };
    if (request.plan.empty()) // clang's own pipeline follows
      return true;
    if (Error error = served.apply(request.plan)) {
      say(json::Object{{"outcome", "rejected"}, {"message", toString(std::move(error))}});
      return false;
    }
    if (Error error = verify(served.module)) {
      say(json::Object{{"outcome", "invalid"}, {"message", toString(std::move(error))}});
      return false;
    }
    std::string print = fingerprint(served.module);
    say(json::Object{{"fingerprint", print}, {"ir_instructions", int64_t(served.module.getInstructionCount())}});
    return request.wantsObject && !known.contains(codeKey(request, print));
  }

  /// Modules that are equal after the pipeline, with equal options, have equal code: no need to emit it again.
  static std::string codeKey(const Request &request, StringRef print) {
    auto plan = parsePlan(request.plan);
    if (!plan) {
      consumeError(plan.takeError());
      return "";
    }
    return (print + plan->optionsText()).str();
  }

  json::Object describe(const Request &request, const Ending &ending, StringRef report, MemoryFile &object, MemoryFile &complaints) {
    json::Object reply;
    if (auto parsed = json::parse(report); parsed && parsed->getAsObject())
      reply = std::move(*parsed->getAsObject());
    else if (!parsed)
      consumeError(parsed.takeError());
    if (reply.getString("outcome")) // the child's own verdict: rejected or invalid
      return reply;
    reply["outcome"] = ending.outcome;
    reply["message"] = json::fixUTF8(ending.message + (ending.outcome == "ok" ? "" : tailOf(complaints)));
    if (ending.outcome != "ok" || !request.wantsObject)
      return reply;
    std::string key = reply.getString("fingerprint") ? codeKey(request, *reply.getString("fingerprint")) : "";
    auto seen = known.find(key);
    bool isNew = key.empty() || seen == known.end();
    ObjectSizes sizes;
    if (isNew) {
      auto measured = object.withContent([](StringRef bytes) { return measureObject(bytes); });
      if (!measured)
        return json::Object{{"outcome", "error"}, {"message", "clang's object cannot be read: " + toString(measured.takeError())}};
      sizes = *measured;
      if (!key.empty())
        known[key] = sizes;
    } else {
      sizes = seen->second;
    }
    reply["text_bytes"] = int64_t(sizes.textBytes);
    reply["data_bytes"] = int64_t(sizes.dataBytes);
    reply["unwind_bytes"] = int64_t(sizes.unwindBytes);
    reply["object_bytes"] = int64_t(sizes.objectBytes);
    reply["object_sha256"] = sizes.sha256;
    reply["emitted"] = isNew;
    return reply;
  }

  static std::string tailOf(const MemoryFile &complaints) {
    std::string tail = complaints.tail(1000);
    return tail.empty() ? "" : ": " + tail;
  }
};

} // namespace

void serveEvaluations(ServedModule &served) { Server(served).run(); }

} // namespace cc_agent
