// A bank with queues, simulated event by event: a priority queue of objects with virtual functions.
#include "../program.h"
#include <cstdint>
#include <deque>
#include <memory>
#include <queue>
#include <vector>

namespace {

class Simulation;

class Event {
public:
  Event(uint64_t time, uint64_t number) : time(time), number(number) {}
  virtual ~Event() = default;
  virtual void happen(Simulation &simulation) = 0;
  const uint64_t time, number; // events at the same time happen in the order of their making
};

struct Later {
  bool operator()(const std::unique_ptr<Event> &a, const std::unique_ptr<Event> &b) const {
    return a->time != b->time ? a->time > b->time : a->number > b->number;
  }
};

struct Desk {
  std::deque<uint64_t> waiting; // when each came
  bool busy = false;
};

class Simulation {
public:
  explicit Simulation(int n_desks) : desks(n_desks) {}

  template <class Kind, class... Arguments> void plan(uint64_t delay, Arguments... arguments) {
    events.push(std::make_unique<Kind>(now + delay, n_events++, arguments...));
  }

  void run(uint64_t end) {
    while (!events.empty() && events.top()->time < end) {
      // top() is const, because the order must not change; the element is taken out at once.
      std::unique_ptr<Event> event = std::move(const_cast<std::unique_ptr<Event> &>(events.top()));
      events.pop();
      now = event->time;
      event->happen(*this);
    }
  }

  std::size_t shortest_queue() const {
    std::size_t best = 0;
    for (std::size_t i = 1; i < desks.size(); i++)
      if (desks[i].waiting.size() < desks[best].waiting.size())
        best = i;
    return best;
  }

  std::vector<Desk> desks;
  uint64_t now = 0, seed = 1, n_served = 0, total_wait = 0, longest_wait = 0, n_events = 0, n_left = 0;

private:
  std::priority_queue<std::unique_ptr<Event>, std::vector<std::unique_ptr<Event>>, Later> events;
};

class Served : public Event {
public:
  Served(uint64_t time, uint64_t number, std::size_t desk) : Event(time, number), desk(desk) {}
  void happen(Simulation &simulation) override;

private:
  std::size_t desk;
};

void serve_next(Simulation &simulation, std::size_t index) {
  Desk &desk = simulation.desks[index];
  desk.busy = !desk.waiting.empty();
  if (!desk.busy)
    return;
  uint64_t wait = simulation.now - desk.waiting.front();
  desk.waiting.pop_front();
  simulation.total_wait += wait;
  simulation.longest_wait = wait > simulation.longest_wait ? wait : simulation.longest_wait;
  simulation.plan<Served>(50 + random_below(&simulation.seed, 400), index);
}

void Served::happen(Simulation &simulation) {
  simulation.n_served++;
  serve_next(simulation, desk);
}

class Arrival : public Event {
public:
  using Event::Event;
  void happen(Simulation &simulation) override {
    std::size_t desk = simulation.shortest_queue();
    if (simulation.desks[desk].waiting.size() < 8) {
      simulation.desks[desk].waiting.push_back(simulation.now);
      if (!simulation.desks[desk].busy)
        serve_next(simulation, desk);
    } else {
      simulation.n_left++;
    }
    simulation.plan<Arrival>(1 + random_below(&simulation.seed, 20));
  }
};

class Break : public Event {
public:
  using Event::Event;
  void happen(Simulation &simulation) override {
    // A desk closes: who waits there goes to the end of the other queues.
    std::deque<uint64_t> moving;
    moving.swap(simulation.desks[random_below(&simulation.seed, simulation.desks.size())].waiting);
    for (uint64_t came : moving)
      simulation.desks[simulation.shortest_queue()].waiting.push_back(came);
    simulation.plan<Break>(1000 + random_below(&simulation.seed, 1000));
  }
};

} // namespace

int main(int argc, char **argv) {
  Simulation simulation(24);
  simulation.plan<Arrival>(0);
  simulation.plan<Break>(500);
  simulation.run(static_cast<uint64_t>(argument(argc, argv, 1)) * 100);
  printf("events %" PRIu64 " served %" PRIu64 " left %" PRIu64 " waited %" PRIu64 " longest %" PRIu64 "\n",
         simulation.n_events, simulation.n_served, simulation.n_left, simulation.total_wait, simulation.longest_wait);
}
