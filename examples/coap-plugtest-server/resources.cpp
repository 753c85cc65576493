// SPDX-License-Identifier: Apache-2.0
// Which resources there are, and what is said of them: the preconditions of the cases as a table.
#include <array>
#include <cstdio>

#include "tree.hpp"

namespace plugtest {

using hermod::coap::ContentFormat;

std::string lines(std::string_view word, std::size_t octets) {
  std::string text;
  for (std::size_t number = 1; text.size() < octets; ++number) {
    std::array<char, 16> digits{};
    (void)std::snprintf(digits.data(), digits.size(), "%04zu ", number);
    text.append(digits.data()).append(word).append("\n");
  }
  return text;
}

std::map<std::string, Resource, std::less<>> plugtest_resources() {
  std::map<std::string, Resource, std::less<>> all;
  all["/test"] = {
      .title = "Default", .methods = "GET POST PUT DELETE", .payload = "the default resource"};
  all["/seg1/seg2/seg3"] = {
      .title = "Long path", .methods = "GET", .payload = "three segments deep"};
  all["/query"] = {.title = "Says its query", .methods = "GET"};
  all["/separate"] = {
      .title = "Slow", .methods = "GET", .slow = true, .payload = "this took its time"};
  all["/location-query"] = {.title = "Created with a query", .methods = "GET POST", .payload = "-"};
  all["/multi-format"] = {
      .title = "Text, XML, JSON and CBOR", .formats = "0 41 50 60", .methods = "GET"};
  all["/validate"] = {
      .title = "With an ETag", .methods = "GET PUT", .payload = "changes when it is put"};
  all["/create1"] = {.listed = false, .methods = "GET PUT DELETE", .present = false};
  all["/location1/location2/location3"] = {
      .listed = false, .methods = "GET DELETE", .present = false};

  all["/large"] = {
      .title = "Large", .says_size = true, .methods = "GET", .payload = lines("large", 1700)};
  all["/large-update"] = {.title = "Large, to be put",
                          .says_size = true,
                          .methods = "GET PUT",
                          .payload = lines("large-update", 1500)};
  all["/large-create"] = {.title = "Large, to be created",
                          .methods = "GET POST",
                          .payload = "POST creates a resource below"};
  all["/large-post"] = {.title = "Answers in capitals",
                        .methods = "GET POST",
                        .payload = "POST answers what was sent in capitals"};

  all["/obs"] = {
      .title = "Confirmable", .methods = "GET PUT DELETE", .notify = Notify::kConfirmable};
  all["/obs-non"] = {
      .title = "Non-confirmable", .methods = "GET PUT DELETE", .notify = Notify::kNonConfirmable};
  all["/obs-large"] = {
      .title = "Large", .methods = "GET PUT DELETE", .notify = Notify::kConfirmable};
  all["/obs-pumping"] = {
      .title = "Large or small", .methods = "GET PUT DELETE", .notify = Notify::kConfirmable};

  // Groups that TD_COAP_LINK_02 to 06 tell apart; all others have neither rt nor if.
  all["/link1"] = {.resource_type = "Type1 Type2",
                   .interface = "If1",
                   .methods = "GET",
                   .payload = "the first link"};
  all["/link2"] = {.resource_type = "Type2 Type3",
                   .interface = "If2",
                   .methods = "GET",
                   .payload = "the second link"};
  all["/link3"] = {.resource_type = "Type1 Type3",
                   .interface = "foo",
                   .methods = "GET",
                   .payload = "the third link"};
  all["/path"] = {.title = "An index", .methods = "GET", .format = ContentFormat::kLinkFormat};
  for (const std::string path : {"/path/sub1", "/path/sub2", "/path/sub3"}) {
    all["/path"].payload += (all["/path"].payload.empty() ? "<" : ",<") + path + ">";
    all[path] = {.listed = false, .methods = "GET", .payload = path};
  }
  return all;
}

}  // namespace plugtest
