// SPDX-License-Identifier: Apache-2.0
// A small export, line by line, and what fuzzing begins with.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "hermod/testkit/seeds.hpp"

namespace hermod::store::samples {

using Lines = std::vector<std::string>;

inline constexpr const char* kMessage =
    R"({"kind":"topic","address":"a","routing_key":null,"payload":"p","guarantee":1,"retain":true,)"
    R"("origin":{"protocol":1,"shard":0,"connection":0,"client":0,"exchange":0},"version":0,)"
    R"("expires_at_ms":null,"properties":null})";

inline std::string subscriber(int queue, std::string_view name) {
  return fmt::format(
      R"({{"subscriber":{{"queue":{},"name":"{}","group":false,"expiry_s":60,"expires_at_ms":null,)"
      R"("away":true,"user":null,"listener":"","will":null}}}})",
      queue, name);
}
inline std::string recipient(int queue, int tag,
                             std::string_view rest = R"("guarantee":2,"released":false)") {
  return fmt::format(
      R"({{"queue":{},"tag":{},{},"retain_as_published":false,"subscription_ids":[]}})", queue, tag,
      rest);
}
inline std::string queued(std::string_view recipients) {
  return fmt::format(R"({{"queued":{{"recipients":[{}],"message":{}}}}})", recipients, kMessage);
}

inline std::string queue_line(std::string_view exchanges) {
  return fmt::format(R"({{"queue":{{"queue":1,"next_tag":9,"exchanges":[{}]}}}})", exchanges);
}

// One of each, without begin and end.
inline Lines good() {
  return {R"({"anchor":{"calendar_ms":1,"wall_ms":2,"since_boot_ns":3,"boot_id":"b"}})",
          subscriber(1, "one"),
          R"({"subscription":{"queue":1,"filter":"a","guarantee_max":2,"retain_handling":0,)"
          R"("no_local":false,"retain_as_published":false,"subscription_id":0}})",
          subscriber(2, "two"),
          R"({"declaration":{"topic":"d","resource_type":"","content_type":"","topic_type":"",)"
          R"("expires_at_s":null,"subscribers_max":null,"observer_check_s":null}})",
          queue_line(R"({"packet_id":5,"complete":false,"queues":[2]},)"
                     R"({"packet_id":6,"complete":true,"queues":[]})"),
          fmt::format(R"({{"value":{}}})", kMessage),
          queued(recipient(1, 3) + "," + recipient(2, 4))};
}

inline std::string text_of(const Lines& lines) {
  std::string text = "{\"export\":{\"format\":1}}\n";
  for (const std::string& line : lines) text += line + '\n';
  return text + fmt::format("{{\"end\":{{\"lines\":{},\"complete\":true}}}}\n", lines.size() + 1);
}

inline testkit::Seeds export_seeds() {
  testkit::Seeds seeds;
  const auto add = [&](std::string_view name, const Lines& lines) {
    const std::string text = text_of(lines);
    seeds[std::string{name}] = {text.begin(), text.end()};
  };
  add("nothing", {});
  add("everything", good());
  Lines lines = good();
  lines.push_back(queued(recipient(2, 9, R"("guarantee":2,"released":true)")));
  lines.push_back(queued(recipient(7, 1)));
  add("more", lines);
  return seeds;
}

}  // namespace hermod::store::samples
