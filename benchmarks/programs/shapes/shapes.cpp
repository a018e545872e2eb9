// A drawing as a tree of small objects: virtual calls, visitors, copies behind base pointers, functions as values.
#include "../program.h"
#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <vector>

namespace {

class Circle;
class Rectangle;
class Polygon;
class Group;

struct Box {
  double left, bottom, right, top;
  Box joined(const Box &other) const {
    return {std::min(left, other.left), std::min(bottom, other.bottom), std::max(right, other.right),
            std::max(top, other.top)};
  }
};

class Visitor {
public:
  virtual ~Visitor() = default;
  virtual void visit(const Circle &) = 0;
  virtual void visit(const Rectangle &) = 0;
  virtual void visit(const Polygon &) = 0;
  virtual void visit(const Group &) = 0;
};

class Shape {
public:
  virtual ~Shape() = default;
  virtual double area() const = 0;
  virtual Box bounds() const = 0;
  virtual void move(double x, double y) = 0;
  virtual std::unique_ptr<Shape> copy() const = 0;
  virtual void accept(Visitor &visitor) const = 0;
};

// What each shape would otherwise repeat.
template <class Kind> class Shaped : public Shape {
public:
  std::unique_ptr<Shape> copy() const override { return std::make_unique<Kind>(static_cast<const Kind &>(*this)); }
  void accept(Visitor &visitor) const override { visitor.visit(static_cast<const Kind &>(*this)); }
};

class Circle : public Shaped<Circle> {
public:
  Circle(double x, double y, double radius) : x(x), y(y), radius(radius) {}
  double area() const override { return 3.14159265358979 * radius * radius; }
  Box bounds() const override { return {x - radius, y - radius, x + radius, y + radius}; }
  void move(double dx, double dy) override {
    x += dx;
    y += dy;
  }

private:
  double x, y, radius;
};

class Rectangle : public Shaped<Rectangle> {
public:
  Rectangle(double x, double y, double width, double height) : box{x, y, x + width, y + height} {}
  double area() const override { return (box.right - box.left) * (box.top - box.bottom); }
  Box bounds() const override { return box; }
  void move(double dx, double dy) override { box = {box.left + dx, box.bottom + dy, box.right + dx, box.top + dy}; }

private:
  Box box;
};

class Polygon : public Shaped<Polygon> {
public:
  explicit Polygon(std::vector<std::pair<double, double>> corners) : corners(std::move(corners)) {}
  double area() const override {
    double doubled = 0;
    for (std::size_t i = 0, last = corners.size() - 1; i < corners.size(); last = i++)
      doubled += corners[last].first * corners[i].second - corners[i].first * corners[last].second;
    return std::fabs(doubled) / 2;
  }
  Box bounds() const override {
    Box box{corners[0].first, corners[0].second, corners[0].first, corners[0].second};
    for (const auto &[x, y] : corners)
      box = box.joined({x, y, x, y});
    return box;
  }
  void move(double dx, double dy) override {
    for (auto &[x, y] : corners) {
      x += dx;
      y += dy;
    }
  }
  std::size_t n_corners() const { return corners.size(); }

private:
  std::vector<std::pair<double, double>> corners;
};

class Group : public Shape {
public:
  Group() = default;
  void add(std::unique_ptr<Shape> part) { parts.push_back(std::move(part)); }
  double area() const override {
    double total = 0;
    for (const auto &part : parts)
      total += part->area();
    return total;
  }
  Box bounds() const override {
    Box box = parts.front()->bounds();
    for (const auto &part : parts)
      box = box.joined(part->bounds());
    return box;
  }
  void move(double dx, double dy) override {
    for (auto &part : parts)
      part->move(dx, dy);
  }
  std::unique_ptr<Shape> copy() const override {
    auto copied = std::make_unique<Group>();
    for (const auto &part : parts)
      copied->add(part->copy());
    return copied;
  }
  void accept(Visitor &visitor) const override { visitor.visit(*this); }
  const std::vector<std::unique_ptr<Shape>> &members() const { return parts; }

private:
  std::vector<std::unique_ptr<Shape>> parts;
};

class Counter : public Visitor {
public:
  void visit(const Circle &) override { n_circles++; }
  void visit(const Rectangle &) override { n_rectangles++; }
  void visit(const Polygon &polygon) override { n_corners += polygon.n_corners(); }
  void visit(const Group &group) override {
    depth++;
    deepest = std::max(deepest, depth);
    for (const auto &part : group.members())
      part->accept(*this);
    depth--;
  }
  std::size_t n_circles = 0, n_rectangles = 0, n_corners = 0;
  int depth = 0, deepest = 0;
};

std::unique_ptr<Shape> make_shape(uint64_t *seed, int depth) {
  double x = random_unit(seed) * 100, y = random_unit(seed) * 100;
  switch (random_below(seed, depth > 0 ? 5 : 3)) {
  case 0:
    return std::make_unique<Circle>(x, y, 1 + random_unit(seed));
  case 1:
    return std::make_unique<Rectangle>(x, y, 2 + random_unit(seed), 1 + random_unit(seed));
  case 2: {
    std::vector<std::pair<double, double>> corners;
    for (uint32_t i = 0, n = 3 + random_below(seed, 5); i < n; i++)
      corners.emplace_back(x + random_unit(seed), y + random_unit(seed));
    return std::make_unique<Polygon>(std::move(corners));
  }
  default: {
    auto group = std::make_unique<Group>();
    for (uint32_t i = 0, n = 1 + random_below(seed, 6); i < n; i++)
      group->add(make_shape(seed, depth - 1));
    return group;
  }
  }
}

} // namespace

int main(int argc, char **argv) {
  int n = argument(argc, argv, 1);
  uint64_t seed = 1;
  std::vector<std::unique_ptr<Shape>> drawing;
  for (int i = 0; i < n; i++)
    drawing.push_back(make_shape(&seed, 4));
  for (int i = 0; i < n; i += 3) {
    drawing.push_back(drawing[i]->copy());
    drawing.back()->move(i % 10, -1);
  }
  const std::function<double(const Shape &)> measures[] = {
      [](const Shape &shape) { return shape.area(); },
      [](const Shape &shape) { return shape.bounds().right - shape.bounds().left; },
      [n](const Shape &shape) { return shape.bounds().top * n; },
  };
  double totals[3] = {};
  for (int round = 0; round < 4; round++)
    for (auto &shape : drawing) {
      shape->move(0.5, 0.25);
      for (int m = 0; m < 3; m++)
        totals[m] += measures[m](*shape);
    }
  std::sort(drawing.begin(), drawing.end(), [](const auto &a, const auto &b) { return a->area() < b->area(); });
  Counter counter;
  for (const auto &shape : drawing)
    shape->accept(counter);
  printf("shapes %zu circles %zu rectangles %zu corners %zu deepest %d\n", drawing.size(), counter.n_circles,
         counter.n_rectangles, counter.n_corners, counter.deepest);
  printf("totals %.17g %.17g %.17g median %.17g\n", totals[0], totals[1], totals[2], drawing[drawing.size() / 2]->area());
}
