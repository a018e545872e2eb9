#pragma once
#include <cmath>

struct Vector {
  double x = 0, y = 0, z = 0;
};

inline Vector operator+(const Vector &a, const Vector &b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
inline Vector operator-(const Vector &a, const Vector &b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
inline Vector operator*(const Vector &a, double factor) { return {a.x * factor, a.y * factor, a.z * factor}; }
inline Vector operator*(const Vector &a, const Vector &b) { return {a.x * b.x, a.y * b.y, a.z * b.z}; }
inline double dot(const Vector &a, const Vector &b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
inline Vector unit(const Vector &a) { return a * (1 / std::sqrt(dot(a, a))); }

struct Ray {
  Vector origin, direction; // the direction is a unit vector
  Vector at(double distance) const { return origin + direction * distance; }
};
