// SPDX-License-Identifier: Apache-2.0
// Relations of filters, against what they match of all topics of a small alphabet.
#include "filter_relation.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "hermod/model/topic.hpp"

namespace hermod::identity {
namespace {

// All names of one to `levels` levels of these words.
std::vector<std::string> names_of(const std::vector<std::string>& words, int levels) {
  std::vector<std::string> all = words;
  std::vector<std::string> last = words;
  for (int level = 1; level < levels; ++level) {
    std::vector<std::string> longer;
    for (const std::string& begin : last) {
      for (const std::string& word : words) longer.push_back(begin + "/" + word);
    }
    all.insert(all.end(), longer.begin(), longer.end());
    last = std::move(longer);
  }
  return all;
}

// "z" stands for every word that no filter names.
TEST(FilterRelation, IsThatOfTheTopicsThatAreMatched) {
  const auto topics = names_of({"a", "b", "z", "$s", ""}, 4);
  std::vector<std::string> filters;
  for (const std::string& name : names_of({"a", "b", "+", "#", "$s"}, 3)) {
    const std::size_t hash = name.find('#');
    if (hash == std::string::npos || hash + 1 == name.size()) filters.push_back(name);
  }
  ASSERT_GT(filters.size(), 100u);
  std::vector<std::vector<bool>> matched;
  for (const std::string& filter : filters) {
    auto& row = matched.emplace_back();
    for (const std::string& topic : topics) row.push_back(model::matches(filter, topic));
  }
  for (std::size_t a = 0; a < filters.size(); ++a) {
    for (std::size_t b = 0; b < filters.size(); ++b) {
      bool covered = true;
      bool common = false;
      for (std::size_t t = 0; t < topics.size(); ++t) {
        covered = covered && (matched[a][t] || !matched[b][t]);
        common = common || (matched[a][t] && matched[b][t]);
      }
      ASSERT_EQ(covers(filters[a], filters[b]), covered) << filters[a] << " and " << filters[b];
      ASSERT_EQ(overlaps(filters[a], filters[b]), common) << filters[a] << " and " << filters[b];
    }
  }
}

}  // namespace
}  // namespace hermod::identity
