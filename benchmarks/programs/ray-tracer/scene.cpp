#include "scene.h"

static constexpr double TOO_NEAR = 1e-6; // a ray that leaves a body does not meet it there

double Sphere::meet(const Ray &ray) const {
  Vector to_centre = centre - ray.origin;
  double along = dot(to_centre, ray.direction);
  double discriminant = along * along - dot(to_centre, to_centre) + radius * radius;
  if (discriminant < 0)
    return -1;
  double half = std::sqrt(discriminant);
  return along - half > TOO_NEAR ? along - half : along + half;
}

double Floor::meet(const Ray &ray) const {
  return ray.direction.y < 0 ? (height - ray.origin.y) / ray.direction.y : -1;
}

Material Floor::material_at(const Vector &point) const {
  // The offset keeps both numbers positive, so that they are cut off in one direction.
  long square = static_cast<long>(point.x + 100000) + static_cast<long>(point.z + 100000);
  return square % 2 ? Material{other, material.mirror} : material;
}

const Body *Scene::nearest(const Ray &ray, double *distance) const {
  const Body *found = nullptr;
  *distance = 1000; // farther away is the sky
  for (const auto &body : bodies) {
    double here = body->meet(ray);
    if (here > TOO_NEAR && here < *distance) {
      *distance = here;
      found = body.get();
    }
  }
  return found;
}

Vector Scene::trace(const Ray &ray, int depth) const {
  double distance;
  const Body *body = nearest(ray, &distance);
  if (!body)
    return Vector{0.4, 0.6, 0.9} * (0.5 + 0.5 * ray.direction.y);
  Vector point = ray.at(distance), normal = body->normal(point);
  Material material = body->material_at(point);
  Vector to_light = light - point;
  double light_distance = std::sqrt(dot(to_light, to_light)), shadow_distance;
  Ray to_light_ray{point, to_light * (1 / light_distance)};
  double brightness = 0.15, facing = dot(normal, to_light_ray.direction);
  if (facing > 0 && (!nearest(to_light_ray, &shadow_distance) || shadow_distance > light_distance))
    brightness += 0.85 * facing;
  Vector colour = material.colour * brightness;
  if (material.mirror > 0 && depth > 0) {
    Vector reflected = ray.direction - normal * (2 * dot(ray.direction, normal));
    colour = colour * (1 - material.mirror) + trace({point, unit(reflected)}, depth - 1) * material.mirror;
  }
  return colour;
}
