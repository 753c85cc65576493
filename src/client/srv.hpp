// SPDX-License-Identifier: Apache-2.0
// Where a service of a domain is, as the DNS says it: SRV records (RFC 2782). Asking blocks;
// reading an answer and putting its records into order are functions of their own. It knows no
// sockets.
#pragma once

#include <cstdint>
#include <expected>
#include <random>
#include <string>
#include <vector>

#include "hermod/base/bytes.hpp"
#include "hermod/client/error.hpp"

namespace hermod::client {

struct SrvTarget {
  std::string host;
  std::uint16_t port = 0;
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;

  bool operator==(const SrvTarget&) const = default;
};

/// The SRV records in the answer of a name server. Error::kNoService when there are none, or when
/// the only one says that the domain does not offer the service.
[[nodiscard]] std::expected<std::vector<SrvTarget>, Error> read_srv(Bytes answer);

/// In the order in which they are to be tried: the lowest priority first, within one at random, but
/// the more often first the more weight they have (RFC 2782, "Weight").
[[nodiscard]] std::vector<SrvTarget> in_order(std::vector<SrvTarget> targets,
                                              std::minstd_rand& dice);

/// Asks the name servers of this machine for `service` (such as "_mqtt._tcp") of `domain`; an empty
/// domain is that of this machine. Blocks, for as long as /etc/resolv.conf lets it.
[[nodiscard]] std::expected<std::vector<SrvTarget>, Error> look_up_srv(const std::string& service,
                                                                       const std::string& domain);

}  // namespace hermod::client
