// SPDX-License-Identifier: Apache-2.0
// Any octets as a stream of MQTT packets: none may crash the codec, what decodes must encode to the
// predicted size and decode to the same packet, and it must not matter how the stream is cut.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "hermod/testkit/codec_properties.hpp"
#include "mqtt_codec_under_test.hpp"

namespace {

void require(const std::string& violation) {
  if (violation.empty()) return;
  std::fprintf(stderr, "%s\n", violation.c_str());
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hermod;
  const mqtt::PacketCodec codec;
  Bytes rest(data, size);
  while (true) {
    const auto decoded = codec.decode(rest);
    if (!decoded) break;
    require(testkit::round_trip(codec, decoded->value));
    rest = rest.subspan(decoded->consumed);
  }
  if (size <= 256) require(testkit::pieces_agree(codec, {data, size}));
  return 0;
}
