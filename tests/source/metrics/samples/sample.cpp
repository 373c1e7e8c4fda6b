// A store of articles, with something of everything that C++ has.
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace store {

template <typename T>
class Shelf;

enum class Kind { Small, Large };

struct Base {
  Base() = default;
  explicit Base(int size) : size_(size), names_{} {}
  virtual ~Base() {}
  Base(const Base &) = delete;
  virtual int size() const = 0;

 protected:
  int size_ = 0;
  std::vector<std::string> names_;
};

template <typename T, int N = 3>
class Store final : public Base {
 public:
  using Items = std::map<std::string, T>;

  Store() : Store(N) {}
  explicit Store(int size)
      : Base(size),
        rate_(1.5e-3) {
    if (size < 0) throw std::invalid_argument("size");
  }
  ~Store() override {
    items_.clear();
  }

  int size() const override { return static_cast<int>(items_.size()); }

  T *find(const std::string &name) noexcept {
    auto found = items_.find(name);
    return found == items_.end() ? nullptr : &found->second;
  }

  Store &operator=(const Store &other) {
    if (this != &other) items_ = other.items_;
    return *this;
  }
  bool operator==(const Store &other) const { return items_ == other.items_ && rate_ == other.rate_; }
  T &operator[](const std::string &name) { return items_[name]; }
  explicit operator bool() const { return !items_.empty(); }
  void operator()(int times) const {
    for (int i = 0; i < times; ++i) {
      if (i % 2) continue;
    }
  }

  template <typename F>
  void each(F &&callback) const {
    for (const auto &[name, item] : items_) {
      callback(name, item);
    }
  }

  friend bool operator<(const Store &a, const Store &b) { return a.size() < b.size(); }

  class Iterator {
   public:
    bool valid() const { return place_ >= 0 || last_; }

   private:
    int place_ = 0;
    bool last_ = false;
  };

  void merge(const Store &other, bool all);
  static int count();

 private:
  Items items_;
  double rate_ = .5;
};

template <typename T, int N>
void Store<T, N>::merge(const Store<T, N> &other, bool all) {
  for (auto &pair : other.items_) {
    if (all || !items_.count(pair.first)) {
      items_.insert(pair);
    } else if (pair.first.empty()) {
      break;
    } else {
      items_[pair.first] = pair.second;
    }
  }
}

namespace detail {

int parse(const std::string &text) {
  try {
    if (text.size() > 3) {
      return std::stoi(text);
    }
  } catch (const std::invalid_argument &error) {
    if (text.empty()) return -1;
  } catch (...) {
    throw;
  }
  return 0;
}

}  // namespace detail

const char *describe(Kind kind, int count) {
  switch (kind) {
    case Kind::Small:
      return count > 1 ? "few" : "one";
    case Kind::Large: {
      while (count > 10) count /= 10;
      do {
        count--;
      } while (count > 0);
      return R"(raw "text" {)";
    }
    default:
      break;
  }
  return u8"none" == nullptr ? "" : "none";
}

int apply(const std::vector<int> &values, std::function<int(int)> how) {
  int sum = 0;
  std::for_each(values.begin(), values.end(), [&sum, &how](int value) {
    if (value > 0 && how) {
      sum += how(value);
    }
  });
  auto twice = [](int value) -> int { return value * 2; };
  auto nested = [=]() {
    return [=](int value) { return value ? twice(value) : 0; };
  };
  return sum + nested()(3);
}

std::unique_ptr<Base> make(int size) {
  struct Local {
    int size;
  };
  Local local{size};
  if constexpr (sizeof(int) == 4) {
    local.size = 1'000'000 + 0xFFul;
  }
  if (auto found = detail::parse("3"); found > 2) local.size = found;
  delete new int[3];
  return nullptr;
}

auto trailing(int a, int b) -> decltype(a + b) { return a + b; }

template <typename... Args>
int variadic(int first, Args... rest) {
  return (first + ... + rest);
}

inline int total(const int *values, unsigned count = 3, int start = 0) {
  int sum = start;
#ifdef FAST
  sum += 1;
#elif defined(SLOW) && !defined(FAST)
  sum += 2;
#else
  sum += 3;
#endif
  for (unsigned i = 0; i < count; i++) {
    if (values[i] < 0) goto done;
    sum += values[i] >> 1 & ~1;
  }
done:
  return sum;
}

}  // namespace store

extern "C" {
int plain(void) { return 0; }
}

static std::string join(const std::vector<std::string> &parts, char with) {
  std::string all;
  for (std::size_t i = 0; i < parts.size(); i++) {
    if (i) all += with;
    all += parts[i];
  }
  return all;
}

int main(int argc, char **argv) {
  static_assert(sizeof(int) >= 2 && sizeof(long) >= 4, "small");
  store::Store<int> shop(argc);
  return shop ? join({argv[0]}, ',').empty() : store::total(nullptr, 0);
}
