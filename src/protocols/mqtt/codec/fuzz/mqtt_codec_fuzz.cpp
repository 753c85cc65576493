// SPDX-License-Identifier: Apache-2.0
// Any octets as a stream of MQTT packets of each version: none may crash the codec, what decodes
// must encode to the predicted size and decode to the same packet, and it must not matter how the
// stream is cut. Properties that decode must also come out of their list again.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "hermod/testkit/codec_properties.hpp"
#include "mqtt_codec_under_test.hpp"

namespace {

void require(const std::string& violation) {
  if (violation.empty()) return;
  std::fprintf(stderr, "%s\n", violation.c_str());
  std::abort();
}

void fuzz_version(hermod::Bytes input, hermod::mqtt::Version version) {
  using namespace hermod;
  const mqtt::PacketCodec codec{version};
  Bytes rest = input;
  while (true) {
    const auto decoded = codec.decode(rest);
    if (!decoded) break;
    require(testkit::round_trip(codec, decoded->value));
    rest = rest.subspan(decoded->consumed);
  }
  if (input.size() <= 256) require(testkit::pieces_agree(codec, input));
}

void fuzz_properties(hermod::Bytes input, hermod::mqtt::PropertyPlace place) {
  using namespace hermod;
  const auto block = mqtt::check_properties(input, place);
  if (!block) return;
  const std::vector<mqtt::Property> list(block->begin(), block->end());
  std::vector<std::uint8_t> out(mqtt::properties_size(list).value());
  if (mqtt::encode_properties(out.data(), list) != *block) require("other octets come back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hermod;
  for (const mqtt::Version version : mqtt::kVersions) fuzz_version({data, size}, version);
  fuzz_properties({data, size}, mqtt::PropertyPlace::kPublish);
  fuzz_properties({data, size}, mqtt::PropertyPlace::kConnack);
  return 0;
}
