#include "serve.h"

#include "channel.h"
#include "fingerprint.h"
#include "limits.h"
#include "memory_file.h"
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
#include <algorithm>
#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace llvm;

namespace cc_agent {
namespace {

struct Request {
  std::string plan;
  std::string late; ///< those of the plan's options that code generation alone reads
  bool wantsObject = true;
  bool fresh = false; ///< emit an object even where an equal module's is known
  Limits limits{60, uint64_t(2) << 30};
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
  request.late = fields->getString("late").value_or("").str();
  request.wantsObject = fields->getString("measure").value_or("object") == "object";
  request.fresh = fields->getBoolean("fresh").value_or(false);
  request.limits.timeoutSeconds = fields->getNumber("timeout_s").value_or(request.limits.timeoutSeconds);
  request.limits.memoryBytes = uint64_t(fields->getInteger("memory_bytes").value_or(int64_t(request.limits.memoryBytes)));
  return request;
}

/// A child that has run a pipeline and waits: code generation with other options starts from there.
struct Snapshot {
  std::string early; ///< the plan without its late options
  std::string fingerprint;
  int process;
  int socket;
  std::unique_ptr<Channel> channel;
};

class Server {
public:
  /// `applied` is what a snapshot's requests report: its pipeline has run; nothing for the server that starts from the source.
  Server(ServedModule &served, int descriptor, std::optional<json::Object> applied = std::nullopt)
      : served(served), descriptor(descriptor), channel(descriptor), applied(std::move(applied)) {}

  /// Returns in a child that is to emit its object; ends the process when the client has gone.
  void run() {
    json::Object hello{{"event", "ready"}, {"key", served.key}, {"llvm", LLVM_VERSION_STRING}, {"target", served.module.getTargetTriple().str()}};
    hello["ir_instructions"] = int64_t(served.module.getInstructionCount());
    if (applied)
      hello["fingerprint"] = *applied->getString("fingerprint");
    channel.writeLine(std::move(hello));
    std::string line;
    while (channel.readLine(line)) {
      auto request = parseRequest(line);
      if (!request) {
        channel.writeLine(json::Object{{"outcome", "error"}, {"message", toString(request.takeError())}});
        continue;
      }
      auto start = std::chrono::steady_clock::now();
      auto reply = evaluate(*request);
      if (!reply) // this is the child
        return;
      (*reply)["wall_time_s"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      channel.writeLine(std::move(*reply));
    }
    _exit(0);
  }

private:
  static constexpr size_t MostSnapshots = 4;

  ServedModule &served;
  int descriptor;
  Channel channel;
  std::optional<json::Object> applied;
  StringMap<ObjectSizes> known; ///< by the module's fingerprint after the pipeline and the code generation options
  StringMap<unsigned> uses;     ///< how often each early plan was asked for
  std::vector<Snapshot> snapshots; ///< the one used last stands last
  bool emitting = false;        ///< this process is a snapshot's child that goes on to code generation

  /// The reply, or nothing in the child that goes on to code generation.
  std::optional<json::Object> evaluate(const Request &request) {
    if (!applied && request.wantsObject && !request.fresh && !request.late.empty()) {
      auto reply = fromSnapshot(request);
      if (reply || emitting)
        return reply;
    }
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
      close(descriptor);
      if (!runInChild(request, report[1]))
        _exit(0);
      return std::nullopt; // report[1] stays open: the parent sees its end when this process ends
    }
    close(report[1]);
    std::string text;
    Ending ending = awaitChild(child, report[0], request.limits, text);
    close(report[0]);
    return describe(request, ending, text, object, complaints);
  }

  /// Answers from a snapshot of the pipeline's result, made when the same pipeline is asked for the second time. Nothing
  /// where there is none yet, or its pipeline failed: an ordinary evaluation then names the fault.
  std::optional<json::Object> fromSnapshot(const Request &request) {
    std::string early = earlyPart(request);
    if (early.empty() || ++uses[early] < 2)
      return std::nullopt;
    auto found = std::find_if(snapshots.begin(), snapshots.end(), [&](const Snapshot &snapshot) { return snapshot.early == early; });
    if (found != snapshots.end())
      std::rotate(found, found + 1, snapshots.end());
    else if (!startSnapshot(early, request))
      return std::nullopt;
    Snapshot &snapshot = snapshots.back();
    if (auto seen = known.find(codeKey(request, snapshot.fingerprint)); seen != known.end()) {
      json::Object reply{{"outcome", "ok"}, {"message", ""}, {"fingerprint", snapshot.fingerprint}};
      addSizes(reply, seen->second, /*isNew=*/false);
      return reply;
    }
    std::string line;
    json::Object asked{{"plan", request.plan}, {"late", request.late}, {"timeout_s", request.limits.timeoutSeconds}, {"memory_bytes", int64_t(request.limits.memoryBytes)}};
    if (snapshot.channel->writeLine(std::move(asked)) && snapshot.channel->readLine(line))
      if (auto parsed = json::parse(line); parsed && parsed->getAsObject())
        return std::move(*parsed->getAsObject());
    dropSnapshot(snapshots.size() - 1);
    return std::nullopt;
  }

  /// The plan without the options that only code generation reads; empty if the plan cannot be parsed.
  static std::string earlyPart(const Request &request) {
    auto plan = parsePlan(request.plan);
    auto late = parseOptions(request.late);
    if (!plan || !late) {
      consumeError(plan.takeError());
      consumeError(late.takeError());
      return "";
    }
    auto isLate = [&](const auto &option) { return std::find(late->options.begin(), late->options.end(), option) != late->options.end(); };
    plan->options.erase(std::remove_if(plan->options.begin(), plan->options.end(), isLate), plan->options.end());
    return "-passes=" + plan->pipeline + plan->optionsText();
  }

  /// False in the parent if the pipeline failed; in the snapshot's own children, with `emitting` set.
  bool startSnapshot(const std::string &early, const Request &request) {
    if (snapshots.size() == MostSnapshots)
      dropSnapshot(0);
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
      return false;
    int self = getpid();
    int child = fork();
    if (child == 0) {
      confineChild(request.limits, self);
      close(descriptor);
      close(pair[0]);
      for (const Snapshot &other : snapshots)
        close(other.socket);
      if (errorToBool(served.apply(early)) || errorToBool(verify(served.module)))
        _exit(0);
      liftTimeLimit();
      json::Object report{{"fingerprint", fingerprint(served.module)}, {"ir_instructions", int64_t(served.module.getInstructionCount())}};
      Server(served, pair[1], std::move(report)).run();
      emitting = true;
      return false;
    }
    close(pair[1]);
    snapshots.push_back({early, "", child, pair[0], std::make_unique<Channel>(pair[0])});
    pollfd ready{pair[0], POLLIN, 0};
    std::string line;
    if (child > 0 && poll(&ready, 1, int(4000 * request.limits.timeoutSeconds) + 1000) == 1 && snapshots.back().channel->readLine(line))
      if (auto hello = json::parse(line); hello && hello->getAsObject()) {
        snapshots.back().fingerprint = hello->getAsObject()->getString("fingerprint").value_or("").str();
        return true;
      }
    dropSnapshot(snapshots.size() - 1);
    return false;
  }

  void dropSnapshot(size_t index) {
    close(snapshots[index].socket);
    if (snapshots[index].process > 0) {
      kill(snapshots[index].process, SIGKILL);
      while (waitpid(snapshots[index].process, nullptr, 0) < 0 && errno == EINTR)
        ;
    }
    snapshots.erase(snapshots.begin() + std::ptrdiff_t(index));
  }

  /// In the child: applies the plan and reports the module. True when an object is still to be emitted.
  bool runInChild(const Request &request, int report) {
    auto say = [report](json::Object object) { Channel(report).writeLine(std::move(object)); };
    if (applied) {
      auto options = parseOptions(request.late);
      Error error = options ? applyOptions(*options) : options.takeError();
      if (error) {
        say(json::Object{{"outcome", "rejected"}, {"message", toString(std::move(error))}});
        return false;
      }
      say(*applied);
      return true;
    }
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
    return request.wantsObject && (request.fresh || !known.contains(codeKey(request, print)));
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

  static void addSizes(json::Object &reply, const ObjectSizes &sizes, bool isNew) {
    reply["text_bytes"] = int64_t(sizes.textBytes);
    reply["data_bytes"] = int64_t(sizes.dataBytes);
    reply["unwind_bytes"] = int64_t(sizes.unwindBytes);
    reply["object_bytes"] = int64_t(sizes.objectBytes);
    reply["object_sha256"] = sizes.sha256;
    reply["emitted"] = isNew;
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
    bool isNew = request.fresh || key.empty() || seen == known.end();
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
    addSizes(reply, sizes, isNew);
    return reply;
  }

  static std::string tailOf(const MemoryFile &complaints) {
    std::string tail = complaints.tail(1000);
    return tail.empty() ? "" : ": " + tail;
  }
};

} // namespace

void serveEvaluations(ServedModule &served) { Server(served, servingDescriptor()).run(); }

} // namespace cc_agent
