// Containers as a program without the standard library has them: each allocates for itself.
#pragma once
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

template <class T> class Array {
public:
  Array() = default;
  Array(const Array &) = delete;
  Array &operator=(const Array &) = delete;
  ~Array() {
    for (std::size_t i = 0; i < used; i++)
      elements[i].~T();
    ::operator delete(elements);
  }
  template <class U> void push(U &&value) {
    if (used == capacity)
      grow();
    new (&elements[used++]) T(std::forward<U>(value));
  }
  T pop() {
    T last = std::move(elements[--used]);
    elements[used].~T();
    return last;
  }
  T &operator[](std::size_t i) { return elements[i]; }
  const T &operator[](std::size_t i) const { return elements[i]; }
  std::size_t size() const { return used; }

private:
  void grow() {
    capacity = capacity ? 2 * capacity : 4;
    T *larger = static_cast<T *>(::operator new(capacity * sizeof(T)));
    for (std::size_t i = 0; i < used; i++) {
      new (&larger[i]) T(std::move(elements[i]));
      elements[i].~T();
    }
    ::operator delete(elements);
    elements = larger;
  }
  T *elements = nullptr;
  std::size_t used = 0, capacity = 0;
};

// Chains of nodes, each allocated by itself.
template <class Key, class Value> class HashMap {
public:
  HashMap() : buckets(new Node *[16]()), n_buckets(16) {}
  HashMap(const HashMap &) = delete;
  HashMap &operator=(const HashMap &) = delete;
  ~HashMap() {
    for (std::size_t i = 0; i < n_buckets; i++)
      while (Node *node = buckets[i]) {
        buckets[i] = node->next;
        delete node;
      }
    delete[] buckets;
  }

  Value &operator[](const Key &key) {
    std::uint64_t hash = hash_of(key);
    for (Node *node = buckets[hash & (n_buckets - 1)]; node; node = node->next)
      if (node->key == key)
        return node->value;
    if (n_nodes == n_buckets)
      rehash();
    Node *&first = buckets[hash & (n_buckets - 1)];
    first = new Node{key, Value{}, first};
    n_nodes++;
    return first->value;
  }

  bool remove(const Key &key) {
    for (Node **at = &buckets[hash_of(key) & (n_buckets - 1)]; *at; at = &(*at)->next)
      if ((*at)->key == key) {
        Node *node = *at;
        *at = node->next;
        delete node;
        n_nodes--;
        return true;
      }
    return false;
  }

  std::size_t size() const { return n_nodes; }

private:
  struct Node {
    Key key;
    Value value;
    Node *next;
  };
  static std::uint64_t hash_of(const Key &key) {
    std::uint64_t hash = static_cast<std::uint64_t>(key) * 0x9e3779b97f4a7c15u;
    return hash ^ (hash >> 32);
  }
  void rehash() {
    Node **larger = new Node *[2 * n_buckets]();
    for (std::size_t i = 0; i < n_buckets; i++)
      while (Node *node = buckets[i]) {
        buckets[i] = node->next;
        Node *&first = larger[hash_of(node->key) & (2 * n_buckets - 1)];
        node->next = first;
        first = node;
      }
    delete[] buckets;
    buckets = larger;
    n_buckets *= 2;
  }
  Node **buckets;
  std::size_t n_buckets, n_nodes = 0;
};

// A treap: a search tree by keys and a heap by priorities that follow from the keys, so that its shape is random.
template <class Key, class Less> class Treap {
public:
  explicit Treap(Less less) : less(less) {}
  Treap(const Treap &) = delete;
  Treap &operator=(const Treap &) = delete;
  ~Treap() { destroy(root); }

  bool insert(const Key &key) { return insert(root, key); }
  bool remove(const Key &key) { return remove(root, key); }
  template <class Function> void for_each(Function &&function) const { walk(root, function); }

private:
  struct Node {
    Key key;
    std::uint64_t priority;
    Node *left = nullptr, *right = nullptr;
  };

  static void rotate_right(Node *&node) {
    Node *left = node->left;
    node->left = left->right;
    left->right = node;
    node = left;
  }
  static void rotate_left(Node *&node) {
    Node *right = node->right;
    node->right = right->left;
    right->left = node;
    node = right;
  }

  bool insert(Node *&node, const Key &key) {
    if (!node) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      node = new Node{key, state >> 20};
      return true;
    }
    if (less(key, node->key)) {
      bool added = insert(node->left, key);
      if (node->left->priority > node->priority)
        rotate_right(node);
      return added;
    }
    if (!less(node->key, key))
      return false;
    bool added = insert(node->right, key);
    if (node->right->priority > node->priority)
      rotate_left(node);
    return added;
  }

  bool remove(Node *&node, const Key &key) {
    if (!node)
      return false;
    if (less(key, node->key))
      return remove(node->left, key);
    if (less(node->key, key))
      return remove(node->right, key);
    if (node->left && node->right) {
      if (node->left->priority > node->right->priority) {
        rotate_right(node);
        return remove(node->right, key);
      }
      rotate_left(node);
      return remove(node->left, key);
    }
    Node *gone = node;
    node = gone->left ? gone->left : gone->right;
    delete gone;
    return true;
  }

  template <class Function> static void walk(const Node *node, Function &function) {
    for (; node; node = node->right) {
      walk(node->left, function);
      function(node->key);
    }
  }
  static void destroy(Node *node) {
    while (node) {
      destroy(node->left);
      Node *right = node->right;
      delete node;
      node = right;
    }
  }

  Node *root = nullptr;
  std::uint64_t state = 1;
  Less less;
};
