// An order book and its bookkeeping with the standard library: maps, sets, lists, variants, algorithms.
#include "../program.h"
#include <algorithm>
#include <cstdint>
#include <list>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace {

struct Order {
  std::uint32_t number, amount, price;
  bool buys;
};

struct Cancel {
  std::uint32_t number;
};

struct Report {
  std::string customer;
};

using Message = std::variant<Order, Cancel, Report>;

class Market {
public:
  void operator()(Order order) {
    customers[customer_of(order.number)]++;
    order.buys ? match(order, sellers, [](auto best, auto price) { return best <= price; })
               : match(order, buyers, [](auto best, auto price) { return best >= price; });
    if (order.amount == 0)
      return;
    auto &queue = order.buys ? buyers[order.price] : sellers[order.price];
    queue.push_back(order);
    open[order.number] = {order.buys, order.price, std::prev(queue.end())};
  }

  void operator()(const Cancel &cancel) {
    auto found = open.find(cancel.number);
    if (found == open.end())
      return;
    auto [buys, price, position] = found->second;
    buys ? erase(buyers, price, position) : erase(sellers, price, position);
    open.erase(found);
    n_cancelled++;
  }

  void operator()(const Report &report) {
    auto found = customers.find(report.customer);
    reported += found == customers.end() ? 0 : found->second;
  }

  static std::string customer_of(std::uint32_t number) { return "customer " + std::to_string(number * 7919 % 1000); }

  void print() const {
    std::vector<std::pair<std::size_t, std::string>> busiest;
    for (const auto &[name, n] : customers)
      busiest.emplace_back(n, name);
    std::sort(busiest.begin(), busiest.end(), [](const auto &a, const auto &b) {
      return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    std::set<std::uint32_t> prices;
    for (const auto &[price, queue] : buyers)
      prices.insert(price);
    for (const auto &[price, queue] : sellers)
      prices.insert(price);
    std::uint64_t waiting = std::accumulate(open.begin(), open.end(), std::uint64_t{0},
                                            [](std::uint64_t sum, const auto &entry) { return sum + entry.first; });
    printf("trades %zu volume %" PRIu64 " hash %016" PRIx64 " cancelled %zu reported %zu\n", n_trades, volume, hash,
           n_cancelled, reported);
    printf("open %zu sum %" PRIu64 " prices %zu busiest %s\n", open.size(), waiting, prices.size(),
           busiest.empty() ? "nobody" : busiest[0].second.c_str());
  }

private:
  struct Place {
    bool buys;
    std::uint32_t price;
    std::list<Order>::iterator position;
  };

  template <class Book, class Agrees> void match(Order &order, Book &book, Agrees agrees) {
    while (order.amount > 0 && !book.empty() && agrees(book.begin()->first, order.price)) {
      auto &queue = book.begin()->second;
      Order &other = queue.front();
      std::uint32_t traded = std::min(order.amount, other.amount);
      order.amount -= traded;
      other.amount -= traded;
      volume += std::uint64_t{traded} * other.price;
      hash = mix(hash, std::uint64_t{order.number} << 32 | other.number);
      n_trades++;
      if (other.amount == 0) {
        open.erase(other.number);
        queue.pop_front();
      }
      if (queue.empty())
        book.erase(book.begin());
    }
  }

  template <class Book> void erase(Book &book, std::uint32_t price, std::list<Order>::iterator position) {
    auto level = book.find(price);
    level->second.erase(position);
    if (level->second.empty())
      book.erase(level);
  }

  std::map<std::uint32_t, std::list<Order>, std::greater<>> buyers; // the best price first
  std::map<std::uint32_t, std::list<Order>> sellers;
  std::unordered_map<std::uint32_t, Place> open;
  std::unordered_map<std::string, std::size_t> customers;
  std::size_t n_trades = 0, n_cancelled = 0, reported = 0;
  std::uint64_t volume = 0, hash = 0;
};

Message next_message(uint64_t *seed, std::uint32_t number) {
  std::uint32_t choice = random_below(seed, 10);
  if (choice < 7) {
    std::uint32_t amount = 1 + random_below(seed, 100), price = 900 + random_below(seed, 100) + random_below(seed, 100);
    return Order{number, amount, price, choice % 2 == 0};
  }
  if (choice < 9)
    return Cancel{number - 1 - random_below(seed, std::min(number, 2000u) + 1)};
  return Report{Market::customer_of(random_below(seed, number + 1))};
}

} // namespace

int main(int argc, char **argv) {
  std::uint32_t n = static_cast<std::uint32_t>(argument(argc, argv, 1));
  Market market;
  uint64_t seed = 1;
  std::vector<Message> messages;
  for (std::uint32_t i = 1; i <= n; i++) {
    messages.push_back(next_message(&seed, i));
    if (messages.size() == 64 || i == n) {
      for (Message &message : messages)
        std::visit([&market](auto &content) { market(content); }, message);
      messages.clear();
    }
  }
  market.print();
}
