// Whole steps of others beside ours: they take turns by the sample.
#include <string>
#include <vector>

#include "benchmarks/suite/measure.h"
#include "engine/base/check.h"
#include "tests/catch.h"

using namespace glia;
using namespace glia::bench;

namespace {

/// Notes its name at each turn; the third turn of "c" fails.
class NotedTurns : public StepTurns {
 public:
  NotedTurns(std::string name, std::string& order) : name_(std::move(name)), order_(order) {}
  Timing sample() override {
    order_ += name_;
    check(name_ != "c" || ++turns_ < 3, "no more");
    return {.warm = 0.5};
  }
  StepMeasurement prepared() const override {
    return {.backend = "", .mode = "eager", .precision = "fp32"};
  }
  std::size_t peak_bytes() const override { return 7; }

 private:
  std::string name_;
  std::string& order_;
  int turns_ = 0;
};

class NotedSteps : public RemoteSteps {
 public:
  NotedSteps(std::string name, std::string& order) : name_(std::move(name)), order_(order) {}
  const std::string& name() const override { return name_; }
  std::unique_ptr<StepTurns> prepare_steps(const RecordedStep&, bool captured) override {
    if (captured) return nullptr;
    return std::make_unique<NotedTurns>(name_, order_);
  }

 private:
  std::string name_;
  std::string& order_;
};

}  // namespace

TEST_CASE("bench: whole steps take turns by the sample, and a problem ends one of them",
          "[bench]") {
  std::string order;
  NotedSteps a("a", order), b("b", order), c("c", order);
  const auto found = measure_step({}, {}, {.samples = 4, .seconds = 10}, {&a, &b, &c});
  CHECK(order == "abccbaabcba");
  REQUIRE(found.size() == 3);
  CHECK(found[0].backend == "a");
  CHECK(found[0].precision == "fp32");
  CHECK(found[0].seconds == std::vector<double>{0.5, 0.5, 0.5, 0.5});
  CHECK(found[0].peak_bytes == 7);
  CHECK(found[2].problem == "no more");
  CHECK(found[2].seconds.size() == 2);
}
