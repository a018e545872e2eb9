// -O2 -std=c++17
// Layers of templates over plain loops: a matrix expression, a filter on a vector, a polymorphic sum.
// No header is included: what the standard library's look like is not ours to keep.
namespace data {

using size = __SIZE_TYPE__;

template <typename Item> class Vector {
public:
  Vector() = default;
  Vector(const Vector &) = delete;
  Vector(Vector &&other) : first(other.first), last(other.last), limit(other.limit) { other.first = other.last = other.limit = nullptr; }
  ~Vector() { delete[] first; }
  const Item *begin() const { return first; }
  const Item *end() const { return last; }
  size length() const { return size(last - first); }
  Item &operator[](size index) { return first[index]; }
  const Item &operator[](size index) const { return first[index]; }
  void push(const Item &item) {
    if (last == limit)
      grow();
    *last++ = item;
  }

private:
  void grow() {
    size room = length() ? 2 * length() : 8;
    Item *moved = new Item[room];
    Item *end = moved;
    for (Item *at = first; at != last; ++at)
      *end++ = *at;
    delete[] first;
    first = moved;
    last = end;
    limit = moved + room;
  }

  Item *first = nullptr, *last = nullptr, *limit = nullptr;
};

template <typename Left, typename Right> struct Sum {
  const Left &left;
  const Right &right;
  double operator[](size index) const { return left[index] + right[index]; }
};

struct Series {
  Vector<double> values;
  double operator[](size index) const { return values[index]; }
  template <typename Expression> Series &operator=(const Expression &expression) {
    for (size index = 0; index < values.length(); ++index)
      values[index] = expression[index];
    return *this;
  }
};

template <typename Left, typename Right> Sum<Left, Right> operator+(const Left &left, const Right &right) { return {left, right}; }

template <typename Item, typename Predicate> Vector<Item> filtered(const Vector<Item> &items, Predicate predicate) {
  Vector<Item> kept;
  for (const Item &item : items)
    if (predicate(item))
      kept.push(item);
  return kept;
}

} // namespace data

void add_three(data::Series &out, const data::Series &a, const data::Series &b, const data::Series &c) { out = a + b + c; }

data::Vector<int> multiples(const data::Vector<int> &items, int factor) {
  return data::filtered(items, [factor](int item) { return item % factor == 0; });
}

struct Shape {
  virtual double area() const = 0;
};

double total_area(const data::Vector<Shape *> &shapes) {
  double total = 0.0;
  for (const Shape *shape : shapes)
    total += shape->area();
  return total;
}
