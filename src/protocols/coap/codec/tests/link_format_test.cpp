// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/codec/link_format.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <vector>

#include "hermod/testkit/allocations.hpp"
#include "link_vectors.hpp"

namespace hermod::coap::test {
namespace {

std::string meaning_of(const Link& link) {
  std::string out{link.target};
  for (const LinkAttribute& attribute : link.attributes) {
    out += fmt::format(" {}", attribute.name);
    if (attribute.has_value) out += '=' + attribute.text();
  }
  return out + '\n';
}

// What the text holds; ends with "error OFFSET REASON" when it is wrong.
std::string meaning_of(std::string_view text) {
  std::string out;
  LinkReader reader(text);
  while (true) {
    const auto link = reader.next();
    if (!link) return out + fmt::format("error {} {}", link.error().offset, link.error().reason);
    if (!*link) return out;
    out += meaning_of(**link);
  }
}

// --- reading ---

TEST(LinkReader, YieldsWhatTheVectorsSay) {
  for (const LinkVector& vector : kLinks) {
    EXPECT_EQ(meaning_of(vector.text), vector.meaning) << vector.name;
  }
}

TEST(LinkReader, SaysWhatIsWrongAndWhere) {
  for (const BadLinkVector& vector : kBadLinks) {
    SCOPED_TRACE(vector.name);
    LinkReader reader(vector.text);
    auto link = reader.next();
    while (link && *link) link = reader.next();
    ASSERT_FALSE(link.has_value());
    EXPECT_EQ(link.error().offset, vector.offset);
    EXPECT_TRUE(std::string_view(link.error().reason).starts_with(vector.reason))
        << link.error().reason;
    const auto again = reader.next();
    ASSERT_FALSE(again.has_value());
    EXPECT_EQ(again.error().offset, vector.offset);
  }
}

TEST(LinkReader, ReadsNothingBehindCutTexts) {
  for (const LinkVector& vector : kLinks) {
    for (std::size_t size = 0; size < vector.text.size(); ++size) {
      const testkit::ExactCopy cut(as_bytes(vector.text.substr(0, size)));
      LinkReader reader(as_text(cut.bytes()));
      auto link = reader.next();
      while (link && *link) link = reader.next();
      if (!link) {
        EXPECT_LE(link.error().offset, size) << vector.name;
      }
    }
  }
}

TEST(LinkReader, AllocatesNothing) {
  for (const LinkVector& vector : kLinks) {
    const std::size_t before = testkit::allocation_count();
    LinkReader reader(vector.text);
    for (auto link = reader.next(); link && *link; link = reader.next()) {
      (void)matches(**link, "rt=none");
    }
    EXPECT_EQ(testkit::allocation_count(), before) << vector.name;
  }
}

TEST(LinkReader, BoundsTheAttributesOfALink) {
  std::string text = "</a>";
  for (std::size_t i = 0; i < LinkReader::kAttributesMax; ++i) text += ";x";
  const std::string meaning = meaning_of(text + ",</b>");
  EXPECT_TRUE(meaning.ends_with(" x x\n/b\n")) << meaning;
  EXPECT_EQ(meaning_of(text + ";y"),
            fmt::format("error {} the link has too many attributes", text.size() + 1));
}

TEST(Link, FindsTheFirstOfAName) {
  LinkReader reader("</a>;rt=\"b\";rt=\"c\";obs");
  const auto link = reader.next();
  ASSERT_TRUE(link && *link);
  ASSERT_NE((*link)->find("rt"), nullptr);
  EXPECT_EQ((*link)->find("rt")->value, "b");
  EXPECT_NE((*link)->find("obs"), nullptr);
  EXPECT_EQ((*link)->find("r"), nullptr);
}

// --- writing ---

TEST(LinkWriter, WritesEveryKindOfAttribute) {
  std::string out;
  LinkWriter links(out);
  links.link("/sensors");
  links.number("ct", 40);
  links.text("title", "Sensor \"Index\" \\ \n");
  links.link("/sensors/temp");
  links.text("rt", "temperature-c core.x");
  links.number("sz", 18446744073709551615u);
  links.flag("obs");
  EXPECT_EQ(out,
            "</sensors>;ct=40;title=\"Sensor \\\"Index\\\" \\\\ \\\n\","
            "</sensors/temp>;rt=\"temperature-c core.x\";sz=18446744073709551615;obs");
  EXPECT_EQ(meaning_of(out),
            "/sensors ct=40 title=Sensor \"Index\" \\ \n\n"
            "/sensors/temp rt=temperature-c core.x sz=18446744073709551615 obs\n");
}

TEST(LinkWriter, WritesLinksThatFiltersSee) {
  const LinkAttribute attributes[] = {{"rt", "core.ps"},
                                      {"ct", "0 41"},
                                      {"sz", "12"},
                                      {"ct", ""},
                                      {"title", "40"},
                                      {.name = "obs", .has_value = false},
                                      {.name = "x", .value = "a\\\"b", .escaped = true}};
  std::string out = "kept ";
  LinkWriter links(out);
  links.write({"/a", attributes});
  links.write({"/b", {}});
  EXPECT_EQ(
      out, "kept </a>;rt=\"core.ps\";ct=\"0 41\";sz=12;ct=\"\";title=\"40\";obs;x=\"a\\\"b\",</b>");
}

// What is read from a text that was written is what was written.
TEST(LinkWriter, RoundTrips) {
  for (const LinkVector& vector : kLinks) {
    std::string out;
    LinkWriter links(out);
    LinkReader reader(vector.text);
    for (auto link = reader.next(); link && *link; link = reader.next()) links.write(**link);
    std::string expected(vector.meaning);
    if (vector.name == "separators_in_target") expected = "/a,b;c?d=%22e sz=0\n";
    if (vector.name == "white_everywhere") expected = "%20/a%20 rt=b obs\n/c\n";
    EXPECT_EQ(meaning_of(out), expected) << vector.name;
  }
}

// RFC 3986 §2: what a URI-reference cannot hold is percent-encoded, the rest is left alone.
TEST(LinkWriter, EncodesTargets) {
  for (const auto& [target, expected] :
       std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {"/a/b?c=d#e", "</a/b?c=d#e>"},
           {"coap://[::1]:5683/~a!$&'()*+,;=:@-._", "<coap://[::1]:5683/~a!$&'()*+,;=:@-._>"},
           {"/a b<c>\"d\"\\^`{|}", "</a%20b%3Cc%3E%22d%22%5C%5E%60%7B%7C%7D>"},
           {"/%41%zz%4", "</%41%25zz%254>"},
           {"/100%", "</100%25>"},
           {"/\xc3\xa4\x01\x7f", "</%C3%A4%01%7F>"}}) {
    std::string out;
    LinkWriter(out).link(target);
    EXPECT_EQ(out, expected);
  }
}

TEST(LinkWriterDeathTest, RefusesNamesThatCannotBeRead) {
  std::string out;
  LinkWriter links(out);
  EXPECT_DEATH(links.flag("obs"), "broken invariant");  // there is no link yet
  links.link("/a");
  EXPECT_DEATH(links.flag(""), "broken invariant");
  EXPECT_DEATH(links.text("a=b", "c"), "broken invariant");
}

// --- filtering ---

const LinkAttribute kAttributes[] = {{"rt", "light-lux core.sen-light"},
                                     {"if", "sensor"},
                                     {"rel", "hosts  describedby"},
                                     {"rev", "a b"},
                                     {"ct", "0 41"},
                                     {"sz", "262144"},
                                     {"title", "Sensor Index"},
                                     {.name = "obs", .has_value = false},
                                     {"foo", "barley"},
                                     {"star", "a*"},
                                     {"empty", ""},
                                     {.name = "quoted", .value = "say \\\"x\\\"", .escaped = true}};
const Link kLink{"/sensors/light", kAttributes};

TEST(Matches, WholeValuesAndPrefixes) {
  for (const std::string_view query : {"href=/sensors/light",
                                       "href=/sensors/*",
                                       "href=*",
                                       "href",
                                       "if=sensor",
                                       "if=sens*",
                                       "if=*",
                                       "sz=262144",
                                       "sz=26*",
                                       "title=Sensor Index",
                                       "title=Sensor I*",
                                       "foo=barley",
                                       "foo=bar*",
                                       "foo=*",
                                       "foo",
                                       "obs",
                                       "obs=*",
                                       "empty=*",
                                       "empty=",
                                       "quoted=say \"x\"",
                                       "quoted=say \"*",
                                       "star=a**",
                                       "star=a*"}) {
    EXPECT_TRUE(matches(kLink, query)) << query;
  }
  for (const std::string_view query : {"href=/sensors",
                                       "href=/sensors/light/",
                                       "href=/other*",
                                       "if=sens",
                                       "if=Sensor",
                                       "if=",
                                       "sz=26214",
                                       "sz=0262144",
                                       "title=Sensor",
                                       "title=Index",
                                       "foo=bar",
                                       "foo=barleys*",
                                       "fo=barley",
                                       "none=*",
                                       "none",
                                       "none=",
                                       "",
                                       "=",
                                       "=*",
                                       "obs=1",
                                       "empty=a*",
                                       "quoted=say \\\"x\\\"",
                                       "star=b*"}) {
    EXPECT_FALSE(matches(kLink, query)) << query;
  }
}

// RFC 6690 §4.1: each value is to be treated as an attribute of its own.
TEST(Matches, EachValueOfAList) {
  for (const std::string_view query :
       {"rt=light-lux", "rt=core.sen-light", "rt=core.*", "rel=hosts", "rel=describedby", "rev=b",
        "ct=0", "ct=41", "ct=4*", "rt=*", "rt"}) {
    EXPECT_TRUE(matches(kLink, query)) << query;
  }
  for (const std::string_view query : {"rt=light-lux core.sen-light", "rt=lux", "rt=light-lux ",
                                       "rt=", "rel=", "ct=1", "ct=0 41", "rev=a b*", "rt= *"}) {
    EXPECT_FALSE(matches(kLink, query)) << query;
  }
}

TEST(Matches, EscapedLists) {
  LinkReader reader("</a>;rt=\"x\\y \\\"z\"");
  const auto link = reader.next();
  ASSERT_TRUE(link && *link);
  EXPECT_TRUE(matches(**link, "rt=xy"));
  EXPECT_TRUE(matches(**link, "rt=\"*"));
  EXPECT_FALSE(matches(**link, "rt=x"));
}

TEST(Matches, ALinkWithoutAttributesHasItsTarget) {
  EXPECT_TRUE(matches({"/a", {}}, "href=/a"));
  EXPECT_FALSE(matches({"/a", {}}, "rt=*"));
  // RFC 6690 §4.1: only what exists matches, not the relation that is assumed (§2.2)
  EXPECT_FALSE(matches({"/a", {}}, "rel=hosts"));
}

TEST(MatchesAll, WantsEveryOne) {
  const std::string_view both[] = {"rt=light-lux", "obs"};
  const std::string_view one[] = {"rt=light-lux", "if=none"};
  EXPECT_TRUE(matches_all(kLink, both));
  EXPECT_FALSE(matches_all(kLink, one));
  EXPECT_TRUE(matches_all(kLink, {}));
}

}  // namespace
}  // namespace hermod::coap::test
