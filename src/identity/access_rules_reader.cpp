// SPDX-License-Identifier: Apache-2.0
// Lines of an ACL file. White space is what mosquitto takes for it: any around a line, and only
// blanks between its words.
#include <array>
#include <optional>

#include "hermod/identity/access_rules.hpp"
#include "text_lines.hpp"

namespace hermod::identity {
namespace {

struct Word {
  std::string_view name;
  std::uint8_t access;
};
constexpr std::array kWords{Word{"read", 1}, Word{"write", 2}, Word{"readwrite", 3},
                            Word{"deny", 0}};

std::optional<std::uint8_t> access_of(std::string_view word) {
  for (const Word& known : kWords) {
    if (known.name == word) return known.access;
  }
  return std::nullopt;
}

// The word up to the next blank; the rest begins with the next word.
std::string_view take_word(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  const std::size_t end = std::min(rest.find(' '), rest.size());
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return word;
}

std::optional<std::string> wrong_filter(std::string_view filter) {
  if (filter.size() > 65'535) return "it is longer than 65535 octets";
  for (std::size_t i = 0; i < filter.size(); ++i) {
    if (filter[i] != '+' && filter[i] != '#') continue;
    const bool begins = i == 0 || filter[i - 1] == '/';
    const bool ends = i + 1 == filter.size() || filter[i + 1] == '/';
    if (!begins || !ends) return fmt::format("\"{}\" must be a whole level", filter[i]);
    if (filter[i] == '#' && i + 1 != filter.size()) return "\"#\" must be the last level";
  }
  return std::nullopt;
}

bool holds_tab_word(std::string_view topic) {
  const std::size_t tab = topic.find('\t');
  return tab != std::string_view::npos && access_of(topic.substr(0, tab)).has_value();
}

}  // namespace

class AccessRules::Reader {
 public:
  Reader(Reading& reading, const std::string& file)
      : reading_(reading), file_(file), section_(&reading.rules.anonymous_) {}

  void read(std::string_view line, std::size_t number) {
    number_ = number;
    line = trim_end(line);
    if (line.empty() || line.front() == '#') return;
    if (line.find('\0') != std::string_view::npos) {
      return refuse("the line holds a zero octet: this is not a text file.");
    }
    std::string_view rest = line;
    const std::string_view keyword = take_word(rest);
    if (keyword == "user") return begin_section(trim(rest));
    if (keyword == "topic" || keyword == "pattern") return add(keyword, rest);
    const std::string_view cure =
        line.find('\t') != std::string_view::npos && trim(line).front() != '#'
            ? " Words are separated by blanks, not by tabs."
        : trim(line).front() == '#' ? " A comment has its \"#\" at the begin of the line."
                                    : "";
    refuse(fmt::format("\"{}\" is none of user, topic and pattern.{}", keyword, cure));
  }

 private:
  void refuse(std::string text) { reading_.errors.push_back({file_, number_, std::move(text)}); }

  void begin_section(std::string_view name) {
    if (name.empty()) return refuse("\"user\" needs a name. The form is: user NAME");
    section_ = &reading_.rules.users_[std::string(name)];
  }

  void add(std::string_view keyword, std::string_view rest) {
    const std::string_view first = take_word(rest);
    std::string_view filter = trim(rest);
    std::optional<std::uint8_t> access = 3;
    if (first.empty()) {
      return refuse(fmt::format(
          "\"{0}\" needs a topic. The form is: {0} [read|write|readwrite|deny] TOPIC", keyword));
    }
    if (filter.empty()) {
      filter = first;
    } else {
      access = access_of(first);
    }
    if (!access) {
      return refuse(
          fmt::format("\"{}\" is none of read, write, readwrite and deny. A topic that "
                      "holds blanks needs one of them in front of it.",
                      first));
    }
    if (holds_tab_word(filter)) {
      return refuse("a tab follows the access, where only a blank ends it.");
    }
    if (auto wrong = wrong_filter(filter)) {
      return refuse(fmt::format("\"{}\" is not a topic or filter: {}.", filter, *wrong));
    }
    Line made{.filter = std::string(filter), .access = *access};
    if (keyword == "topic") return section_->add(std::move(made));
    made.about_client = filter.find("%c") != std::string_view::npos;
    made.about_user = filter.find("%u") != std::string_view::npos;
    if (!made.about_client && !made.about_user) {
      reading_.warnings.push_back(
          {file_, number_,
           fmt::format("the pattern \"{}\" holds neither %c nor %u: it is for every client, also "
                       "for those with a user section of their own.",
                       filter)});
    }
    reading_.rules.patterns_.add(std::move(made));
  }

  Reading& reading_;
  const std::string& file_;
  Lines* section_;  // a map's nodes stay where they are
  std::size_t number_ = 0;
};

AccessRules::Reading AccessRules::parse(std::string_view text, const std::string& file) {
  Reading reading;
  Reader reader(reading, file);
  for (TextLines lines{text}; !lines.done();) {
    const std::string_view line = lines.next();
    reader.read(line, lines.number());
  }
  return reading;
}

}  // namespace hermod::identity
