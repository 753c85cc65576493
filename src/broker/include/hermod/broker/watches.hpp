// SPDX-License-Identifier: Apache-2.0
// Which connections of one shard observe which declared topics, or wait to hear whether they may.
// The topic's owner knows each by its number, which is never used again: what comes for a number
// that is not there any more is old.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hermod/broker/mailbox.hpp"
#include "hermod/core/subscriber.hpp"
#include "hermod/session/effects.hpp"

namespace hermod::broker {

class Watches {
 public:
  struct Watch {
    core::ConnectionKey connection = 0;
    session::Ticket ticket = 0;
    std::string topic;
    bool answered = false;
  };
  struct Numbered {
    RequestId number = 0;
    Watch watch;
  };

  [[nodiscard]] bool empty() const { return watches_.empty(); }
  /// Of one connection.
  [[nodiscard]] std::size_t count(core::ConnectionKey connection) const;
  /// The connection must not have one of that topic.
  RequestId begin(core::ConnectionKey connection, std::string_view topic, session::Ticket ticket);
  /// nullptr: it has ended.
  [[nodiscard]] Watch* find(RequestId number);
  void end(RequestId number);
  /// What the connection has of that topic, which ends.
  std::optional<Numbered> take(core::ConnectionKey connection, std::string_view topic);
  /// Something that the connection has, which ends; nothing is left when there is none.
  std::optional<Numbered> take_any(core::ConnectionKey connection);

 private:
  using Place = std::pair<core::ConnectionKey, std::string>;
  using Places = std::map<Place, RequestId>;
  [[nodiscard]] Numbered take(Places::iterator place);

  RequestId last_ = 0;
  boost::unordered_flat_map<RequestId, Watch> watches_;
  Places places_;
  boost::unordered_flat_map<core::ConnectionKey, std::size_t> counts_;
};

}  // namespace hermod::broker
