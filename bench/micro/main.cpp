// SPDX-License-Identifier: Apache-2.0
// The two drivers of the cases. Without options of its own it is a Google Benchmark program; with
// --instructions it runs each case once for callgrind, which instruments between the marks alone
// and leaves one dump a case (instructions.py reads them).
#include <benchmark/benchmark.h>
#include <valgrind/callgrind.h>

#include <cstdio>
#include <string>
#include <string_view>

#include "case.hpp"

namespace hermod::micro {
namespace {

Cases all_cases() {
  Cases cases;
  add_codec(cases);
  add_coap(cases);
  add_timers(cases);
  add_match(cases);
  add_route(cases);
  add_session(cases);
  return cases;
}

void run_for_time(benchmark::State& state, const Case& what) {
  constexpr benchmark::IterationCount kBatch = 64;
  const Body body = what.prepare();
  body(kBatch);
  while (state.KeepRunningBatch(kBatch)) body(kBatch);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(what.units));
}

// The first run brings vectors, caches and pools to their size. Each line says what the dump of the
// same place in the order is about.
void run_for_instructions(const Case& what) {
  const Body body = what.prepare();
  body(what.instructions_n);
  CALLGRIND_START_INSTRUMENTATION;
  body(what.instructions_n);
  CALLGRIND_STOP_INSTRUMENTATION;
  CALLGRIND_DUMP_STATS_AT(what.name.c_str());
  std::printf("%s %zu\n", what.name.c_str(), what.instructions_n * what.units);
  std::fflush(stdout);
}

int main(int argc, char** argv) {
  const Cases cases = all_cases();
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if (mode == "--built-by") {
    std::puts(HERMOD_BUILT_BY);
    return 0;
  }
  if (mode == "--instructions" || mode == "--quick-instructions") {
    const std::string_view wanted = argc > 2 ? argv[2] : "";
    for (const Case& one : cases) {
      if (mode == "--quick-instructions" && !one.quick) continue;
      if (one.name.find(wanted) != std::string::npos) run_for_instructions(one);
    }
    return 0;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  for (const Case& one : cases) {
    benchmark::RegisterBenchmark(one.name.c_str(),
                                 [&one](benchmark::State& state) { run_for_time(state, one); });
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

}  // namespace
}  // namespace hermod::micro

int main(int argc, char** argv) {
  return hermod::micro::main(argc, argv);
}
