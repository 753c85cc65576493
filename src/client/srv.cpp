// SPDX-License-Identifier: Apache-2.0
#include "srv.hpp"

#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>

#include <algorithm>
#include <array>
#include <span>

namespace hermod::client {
namespace {

using Refused = std::unexpected<Error>;

constexpr std::size_t kAnswerMax = 64 * 1024;  // what a DNS message can hold
constexpr std::size_t kFixed = 6;              // priority, weight, port

std::uint16_t number(const unsigned char* at) {
  return static_cast<std::uint16_t>(at[0] << 8 | at[1]);
}

/// The data of one record; false when it is malformed.
bool read_target(const ns_msg& message, const ns_rr& record, SrvTarget& target) {
  const unsigned char* const data = ns_rr_rdata(record);
  if (ns_rr_rdlen(record) <= kFixed) return false;
  std::array<char, NS_MAXDNAME> name{};
  if (ns_name_uncompress(ns_msg_base(message), ns_msg_end(message), data + kFixed, name.data(),
                         name.size()) < 0) {
    return false;
  }
  target = {.host = name.data(),
            .port = number(data + 4),
            .priority = number(data),
            .weight = number(data + 2)};
  return true;
}

/// Moves one of `group` to its front, chosen by weight.
void choose_first(std::span<SrvTarget> group, std::minstd_rand& dice) {
  // Those without weight stand first, so that they are chosen now and then.
  std::ranges::stable_partition(group, [](const SrvTarget& one) { return one.weight == 0; });
  std::uint32_t sum = 0;
  for (const SrvTarget& one : group) sum += one.weight;
  const auto drawn = std::uniform_int_distribution<std::uint32_t>(0, sum)(dice);
  std::uint32_t running = 0;
  const auto chosen = std::ranges::find_if(
      group, [&](const SrvTarget& one) { return (running += one.weight) >= drawn; });
  std::rotate(group.begin(), chosen, chosen + 1);
}

}  // namespace

std::expected<std::vector<SrvTarget>, Error> read_srv(Bytes answer) {
  ns_msg message{};
  if (ns_initparse(answer.data(), static_cast<int>(answer.size()), &message) != 0) {
    return Refused(Error::kNameServer);
  }
  std::vector<SrvTarget> targets;
  for (int i = 0; i < ns_msg_count(message, ns_s_an); ++i) {
    ns_rr record{};
    if (ns_parserr(&message, ns_s_an, i, &record) != 0) return Refused(Error::kNameServer);
    if (ns_rr_type(record) != ns_t_srv) continue;  // a CNAME on the way
    SrvTarget target;
    if (!read_target(message, record, target)) return Refused(Error::kNameServer);
    // "A Target of "." means that the service is decidedly not available at this domain."
    if (!target.host.empty() && target.host != ".") targets.push_back(std::move(target));
  }
  if (targets.empty()) return Refused(Error::kNoService);
  return targets;
}

std::vector<SrvTarget> in_order(std::vector<SrvTarget> targets, std::minstd_rand& dice) {
  std::ranges::stable_sort(targets, {}, &SrvTarget::priority);
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const auto end = std::ranges::find_if(
        targets.begin() + static_cast<std::ptrdiff_t>(i), targets.end(),
        [&](const SrvTarget& one) { return one.priority != targets[i].priority; });
    choose_first({targets.begin() + static_cast<std::ptrdiff_t>(i), end}, dice);
  }
  return targets;
}

std::expected<std::vector<SrvTarget>, Error> look_up_srv(const std::string& service,
                                                         const std::string& domain) {
  struct __res_state state{};
  if (res_ninit(&state) != 0) return Refused(Error::kNameServer);
  std::vector<std::uint8_t> answer(kAnswerMax);
  const int room = static_cast<int>(answer.size());
  const int size =
      domain.empty() ? res_nsearch(&state, service.c_str(), ns_c_in, ns_t_srv, answer.data(), room)
                     : res_nquery(&state, (service + "." + domain).c_str(), ns_c_in, ns_t_srv,
                                  answer.data(), room);
  const int error = state.res_h_errno;
  res_nclose(&state);
  if (size >= 0)
    return read_srv({answer.data(), std::min(static_cast<std::size_t>(size), answer.size())});
  const bool none = error == HOST_NOT_FOUND || error == NO_DATA;
  return Refused(none ? Error::kNoService : Error::kNameServer);
}

}  // namespace hermod::client
