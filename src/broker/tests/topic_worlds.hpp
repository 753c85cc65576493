// SPDX-License-Identifier: Apache-2.0
// Worlds for tests about topics: alone, and with the topic's owner here or over there.
#pragma once

#include <string>

#include "world.hpp"

namespace hermod::broker {

struct Where {
  std::uint16_t shards = 1;
  std::uint16_t owner = 0;
};

/// Clients of the first shard, and a topic of `owner`.
class TopicWorlds : public testing::TestWithParam<Where> {
 protected:
  /// A client of the last shard, which is attached.
  struct Far : Client {
    explicit Far(World& world, std::string_view name)
        : Client(world, static_cast<std::uint16_t>(world.mailroom.shards() - 1)) {
      const auto shard = static_cast<std::uint16_t>(world.mailroom.shards() - 1);
      EXPECT_EQ(ask(fmt::format("attach {}", world.name_on(shard, name))), "#1 ok\n");
    }
  };
  /// A client of the first shard, which is attached.
  struct Near : Client {
    explicit Near(World& world, std::string_view name) : Client(world) {
      EXPECT_EQ(ask(fmt::format("attach {}", world.name_on(0, name))), "#1 ok\n");
    }
  };
  [[nodiscard]] const core::Declarations& declarations() {
    return world.shard(GetParam().owner).core().declarations();
  }
  /// A line about the topic: the first '@' is its name.
  [[nodiscard]] std::string line(std::string_view text) const {
    std::string made{text};
    for (auto at = made.find('@'); at != std::string::npos; at = made.find('@', at)) {
      made.replace(at, 1, topic);
    }
    return made;
  }

  World world{GetParam().shards};
  std::string topic = world.name_on(GetParam().owner, "t");
};

inline const auto kEverywhere = testing::Values(Where{1, 0}, Where{2, 0}, Where{2, 1});
inline std::string name_of(const testing::TestParamInfo<Where>& info) {
  return fmt::format("{}Shards_OwnedBy{}", info.param.shards, info.param.owner);
}

}  // namespace hermod::broker
