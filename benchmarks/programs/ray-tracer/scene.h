#pragma once
#include "vector.h"
#include <memory>
#include <vector>

struct Material {
  Vector colour;
  double mirror = 0; // share of the light that is reflected as by a mirror
};

class Body {
public:
  explicit Body(const Material &material) : material(material) {}
  virtual ~Body() = default;

  // The distance along the ray at which it meets the body, or a negative number.
  virtual double meet(const Ray &ray) const = 0;
  virtual Vector normal(const Vector &point) const = 0;
  virtual Material material_at(const Vector &) const { return material; }

protected:
  Material material;
};

class Sphere final : public Body {
public:
  Sphere(const Vector &centre, double radius, const Material &material)
      : Body(material), centre(centre), radius(radius) {}
  double meet(const Ray &ray) const override;
  Vector normal(const Vector &point) const override { return (point - centre) * (1 / radius); }

private:
  Vector centre;
  double radius;
};

// A floor of two colours in squares.
class Floor final : public Body {
public:
  Floor(double height, const Material &material, const Vector &other) : Body(material), height(height), other(other) {}
  double meet(const Ray &ray) const override;
  Vector normal(const Vector &) const override { return {0, 1, 0}; }
  Material material_at(const Vector &point) const override;

private:
  double height;
  Vector other;
};

class Scene {
public:
  template <class Kind, class... Arguments> void add(const Arguments &...arguments) {
    bodies.push_back(std::make_unique<Kind>(arguments...));
  }
  Vector trace(const Ray &ray, int depth) const;
  Vector light{};

private:
  const Body *nearest(const Ray &ray, double *distance) const;
  std::vector<std::unique_ptr<Body>> bodies;
};
