// SPDX-License-Identifier: Apache-2.0
#include "hermod/store/metadata_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "describe.hpp"
#include "hermod/base/rng.hpp"
#include "samples.hpp"

namespace hermod::store {
namespace {

using core::Change;
using testing::HasSubstr;

const MetadataText kText(sample_calendar());

// What a line says; what is wrong with it instead.
std::string read(std::string_view line) {
  const auto read = kText.read(line);
  if (!read) return read.error();
  if (const auto* change = std::get_if<Change>(&*read)) return describe(*change);
  return "anchor";
}
std::string read_message(std::string_view line) {
  const auto read = kText.read_message(line);
  return read ? describe(**read) : read.error();
}

TEST(MetadataText, KeepsEveryMember) {
  for (const Change& change : full_changes()) {
    const std::string line = kText.write(change);
    EXPECT_EQ(line.find('\n'), std::string::npos);
    EXPECT_EQ(read(line), describe(change)) << line;
  }
  const FullMessage full;
  EXPECT_EQ(read_message(kText.write(full.message)), describe(full.message));
}

TEST(MetadataText, KeepsTheAnchor) {
  for (const Anchor& anchor : {Anchor{}, Anchor{.calendar_ms = INT64_MIN,
                                                .wall_ms = INT64_MAX,
                                                .since_boot = Duration::max(),
                                                .boot_id = "11111111-2222"}}) {
    const auto read = kText.read(MetadataText::write(anchor));
    ASSERT_TRUE(read) << read.error();
    EXPECT_EQ(std::get<Anchor>(*read), anchor);
  }
}

// A calendar that goes on elsewhere, with another origin of its monotonic clock.
TEST(MetadataText, TimesAreThoseOfTheCalendar) {
  const Calendar other({}, {.now = Instant{std::chrono::hours{90}}, .wall_ms = 1'000'000}, "boot");
  const Change change =
      core::KeepSubscriber{.queue = 1, .expires_at = Instant{std::chrono::hours{4}}};
  const auto read = MetadataText(other).read(kText.write(change));
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(std::get<core::KeepSubscriber>(std::get<Change>(*read)).expires_at,
            Instant{std::chrono::hours{91}});
}

TEST(MetadataText, TellsEmptyFromAbsentAndTextFromOctets) {
  const std::uint8_t none = 0;
  const Bytes empty{&none, 0};
  const model::UserProperty user[] = {{"", std::string_view{""}}, {"o", empty}, {"o", Bytes{}}};
  const model::Properties properties{.content_type = "", .correlation = empty, .user = user};
  model::Message message{.payload = empty, .properties = &properties};
  EXPECT_EQ(read_message(kText.write(message)), describe(message));
  message.payload = {};
  EXPECT_EQ(read_message(kText.write(message)), describe(message));
}

TEST(MetadataText, KeepsTextsThatAreNotUtf8AndControlCharacters) {
  for (const std::string& name :
       {std::string("\xff\xfe"), std::string("a\0b\n\"\\\x7f", 7), std::string("\xf0\x9f\x98\x80"),
        std::string("{\"hex\":\"00\"}")}) {
    const Change change = core::KeepSubscription{.queue = 7, .filter = name, .options = {}};
    EXPECT_EQ(read(kText.write(change)), describe(change));
  }
}

TEST(MetadataText, KeepsEachBitOfANumber) {
  SeededRng rng(1);
  const auto kept = [](double number) {
    const model::UserProperty user[] = {{"n", number}};
    const model::Properties properties{.user = user};
    const auto read = kText.read_message(kText.write(model::Message{.properties = &properties}));
    return read ? std::get<double>((*read)->properties->user[0].value) : 0;
  };
  for (int i = 0; i < 2000; ++i) {
    const auto number = std::bit_cast<double>(rng.next());
    if (std::isnan(number)) continue;
    EXPECT_EQ(std::bit_cast<std::uint64_t>(kept(number)), std::bit_cast<std::uint64_t>(number));
  }
  EXPECT_TRUE(std::isnan(kept(std::nan(""))));
  EXPECT_EQ(kept(-INFINITY), -INFINITY);
}

TEST(MetadataText, WritesNothingOfWhatIsForgotten) {
  EXPECT_EQ(kText.write(Change{core::ForgetSubscriber{1}}), "");
}

// The lines of an export that is there already.
TEST(MetadataText, IsWrittenAsTheFormatSays) {
  EXPECT_EQ(kText.write(Change{core::KeepSubscription{3, "a/#", {.subscription_id = 5}}}),
            R"({"subscription":{"queue":3,"filter":"a/#","guarantee_max":0,"retain_handling":0,)"
            R"("no_local":false,"retain_as_published":false,"subscription_id":5}})");
  EXPECT_EQ(kText.write(Change{core::KeepSubscriber{.queue = 3, .name = "k", .listener = "\xff"}}),
            R"({"subscriber":{"queue":3,"name":"k","group":false,"expiry_s":0,)"
            R"("expires_at_ms":null,"away":false,"user":null,"listener":{"hex":"ff"},)"
            R"("will":null}})");
  EXPECT_EQ(kText.write(model::Message{.destination = model::Destination::topic("a"),
                                       .payload = as_bytes("x")}),
            R"({"message":{"kind":"topic","address":"a","routing_key":null,"payload":"x",)"
            R"("guarantee":0,"retain":false,"origin":{"protocol":0,"shard":0,"connection":0,)"
            R"("client":0,"exchange":0},"version":0,"expires_at_ms":null,"properties":null}})");
}

TEST(MetadataText, SaysWhatIsWrongWithALine) {
  constexpr std::string_view kRight =
      R"({"subscription":{"queue":3,"filter":"f","guarantee_max":0,"retain_handling":0,)"
      R"("no_local":false,"retain_as_published":false,"subscription_id":5}})";
  ASSERT_THAT(read(kRight), HasSubstr("subscription 3 'f'"));
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string line(kRight);
    line.replace(line.find(from), from.size(), to);
    return read(line);
  };
  const std::string range = "must be a whole number within its range";
  EXPECT_EQ(with("3", "0"), "'queue' " + range);
  EXPECT_EQ(with("3", "-1"), "'queue' " + range);
  EXPECT_EQ(with("3", "3.0"), "'queue' " + range);
  EXPECT_EQ(with("3", "281474976710656"), "'queue' " + range);
  EXPECT_THAT(with("3", "281474976710655"), HasSubstr("subscription"));
  EXPECT_EQ(with("3", "\"3\""), "'queue' " + range);
  EXPECT_EQ(with("max\":0", "max\":3"), "'guarantee_max' " + range);
  EXPECT_EQ(with("handling\":0", "handling\":3"), "'retain_handling' " + range);
  EXPECT_EQ(with("5}", "4294967296}"), "'subscription_id' " + range);
  EXPECT_EQ(with("\"f\"", "null"), "'filter' must not be null");
  EXPECT_THAT(with("\"f\"", R"({"hex":"0"})"), HasSubstr("'filter' must be a text, or octets"));
  EXPECT_THAT(with("\"f\"", R"({"hex":"0G"})"), HasSubstr("'filter' must be a text, or octets"));
  EXPECT_EQ(with("\"f\"", "5"), "'filter' must be an object");
  EXPECT_EQ(with("false", "0"), "'no_local' must be true or false");
  EXPECT_EQ(with("queue", "queues"), "'queue' is missing in 'subscription'");
  EXPECT_EQ(with("5}", "5,\"more\":1}"), "'subscription' has members that it must not have");
  EXPECT_EQ(with("subscription", "subscriptions"),
            "'subscriptions' is nothing that the metadata has");
  EXPECT_THAT(with("}}", "}"), HasSubstr("no JSON"));
  EXPECT_THAT(with("}}", "}} x"), HasSubstr("no JSON"));
  EXPECT_EQ(with("}}", "},\"b\":1}"), "a line must be an object with one member");
  EXPECT_EQ(read("[]"), "a line must be an object with one member");
  EXPECT_EQ(read(R"({"anchor":5})"), "'anchor' must be an object");
  EXPECT_THAT(read_message(R"({"message":null})"), HasSubstr("'message' must be an object"));
}

TEST(MetadataText, RefusesALineThatIsTooLong) {
  // Nobody looks at the octets, which are not there.
  const std::string line = " ";
  EXPECT_EQ(read({line.data(), MetadataText::kLineMax + 1}), "the line is too long");
}

// Whatever the octets, reading ends, and gives nothing that writing would not give back.
TEST(MetadataText, BearsDamage) {
  std::vector<std::string> lines;
  for (const Change& change : full_changes()) lines.push_back(kText.write(change));
  SeededRng rng(1);
  int read_well = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string line = lines[rng.below(lines.size())];
    for (std::uint64_t hits = 1 + rng.below(2); hits > 0; --hits) {
      line[rng.below(line.size())] = static_cast<char>(rng.below(2) == 0 ? rng.next() : '0');
    }
    const auto got = kText.read(line);
    if (!got || !std::holds_alternative<Change>(*got)) continue;
    ++read_well;
    const Change& change = std::get<Change>(*got);
    EXPECT_EQ(read(kText.write(change)), describe(change)) << line;
  }
  EXPECT_GT(read_well, 500);
  EXPECT_LT(read_well, 19'000);
}

}  // namespace
}  // namespace hermod::store
