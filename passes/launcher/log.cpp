#include "log.h"

#include "json.h"
#include "locate.h"

#include <algorithm>
#include <ctime>
#include <sys/resource.h>

namespace cc_agent {
namespace {

double seconds(const timeval &time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

double now(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

} // namespace

StartTime::StartTime() : since_epoch_s(now(CLOCK_REALTIME)), monotonic_s(now(CLOCK_MONOTONIC)) {}

std::vector<Event> read_events(const std::string &text) {
  std::vector<Event> events;
  for (std::size_t start = 0; start < text.size();) {
    std::size_t end = std::min(text.find('\n', start), text.size());
    Event event = read_flat_object(std::string_view(text).substr(start, end - start));
    if (!event.empty())
      events.push_back(std::move(event));
    start = end + 1;
  }
  return events;
}

bool has_event(const std::vector<Event> &events, const char *name) {
  return std::any_of(events.begin(), events.end(), [&](const Event &event) {
    auto found = event.find("event");
    return found != event.end() && found->second == name;
  });
}

std::string LogEntry::text() const {
  std::vector<std::string> paths, event_texts;
  for (const Source &source : line.sources)
    paths.push_back(source.path);
  for (const Event &event : events) {
    JsonObject object;
    for (const auto &[name, value] : event)
      object.add(name, json_string(value));
    event_texts.push_back(object.text());
  }
  const char *objective = name_of(line.objective);
  rusage used;
  getrusage(RUSAGE_CHILDREN, &used);
  JsonObject entry;
  entry.add("time", json_number(started.since_epoch_s));
  entry.add("cwd", json_string(current_directory()));
  entry.add("sources", json_strings(paths));
  entry.add("output", json_string_or_null(line.output));
  entry.add("mode", json_string(name_of(settings.mode)));
  entry.add("objective", json_string_or_null(objective ? objective : ""));
  entry.add("decision", json_string(decision));
  entry.add("reason", json_string_or_null(reason));
  entry.add("lock", json_string_or_null(lock));
  entry.add("events", json_array(event_texts));
  entry.add("status", std::to_string(exit_code));
  entry.add("wall_time_s", json_number(now(CLOCK_MONOTONIC) - started.monotonic_s));
  entry.add("user_time_s", json_number(seconds(used.ru_utime)));
  entry.add("sys_time_s", json_number(seconds(used.ru_stime)));
  return entry.text();
}

} // namespace cc_agent
