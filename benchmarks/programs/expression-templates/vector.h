// Vectors whose arithmetic builds a type first, and is one loop without temporaries when it is assigned.
#pragma once
#include <cstddef>
#include <utility>
#include <vector>

template <class E> struct Expression {
  const E &self() const { return static_cast<const E &>(*this); }
};

template <class L, class R, class Op> class Binary : public Expression<Binary<L, R, Op>> {
public:
  Binary(const L &left, const R &right) : left(left), right(right) {}
  double operator[](std::size_t i) const { return Op::apply(left[i], right[i]); }

private:
  // By value: the nodes of the tree end with the statement, the vectors are held by the leaves' references.
  L left;
  R right;
};

class Leaf : public Expression<Leaf> {
public:
  explicit Leaf(const double *values) : values(values) {}
  double operator[](std::size_t i) const { return values[i]; }

private:
  const double *values;
};

class Constant : public Expression<Constant> {
public:
  explicit Constant(double value) : value(value) {}
  double operator[](std::size_t) const { return value; }

private:
  double value;
};

class Vector {
public:
  explicit Vector(std::size_t n) : values(n) {}
  template <class E> Vector &operator=(const Expression<E> &expression) {
    const E &e = expression.self();
    for (std::size_t i = 0; i < values.size(); i++)
      values[i] = e[i];
    return *this;
  }
  double &operator[](std::size_t i) { return values[i]; }
  std::size_t size() const { return values.size(); }
  const double *data() const { return values.data(); }
  double *data() { return values.data(); }

private:
  std::vector<double> values;
};

inline Leaf node(const Vector &vector) { return Leaf(vector.data()); }
inline Constant node(double value) { return Constant(value); }
template <class E> const E &node(const Expression<E> &expression) { return expression.self(); }

struct Add {
  static double apply(double a, double b) { return a + b; }
};
struct Subtract {
  static double apply(double a, double b) { return a - b; }
};
struct Multiply {
  static double apply(double a, double b) { return a * b; }
};
struct Divide {
  static double apply(double a, double b) { return a / b; }
};

template <class Op, class L, class R> auto combine(const L &left, const R &right) {
  return Binary<L, R, Op>(left, right);
}

// Not for two plain numbers: node() of those is a Constant, and double's own operators come first.
template <class L, class R> auto operator+(const L &l, const R &r) -> decltype(combine<Add>(node(l), node(r))) {
  return combine<Add>(node(l), node(r));
}
template <class L, class R> auto operator-(const L &l, const R &r) -> decltype(combine<Subtract>(node(l), node(r))) {
  return combine<Subtract>(node(l), node(r));
}
template <class L, class R> auto operator*(const L &l, const R &r) -> decltype(combine<Multiply>(node(l), node(r))) {
  return combine<Multiply>(node(l), node(r));
}
template <class L, class R> auto operator/(const L &l, const R &r) -> decltype(combine<Divide>(node(l), node(r))) {
  return combine<Divide>(node(l), node(r));
}

template <class E> double sum(const Expression<E> &expression, std::size_t n) {
  const E &e = expression.self();
  double total = 0;
  for (std::size_t i = 0; i < n; i++)
    total += e[i];
  return total;
}
