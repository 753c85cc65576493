// SPDX-License-Identifier: Apache-2.0
// Stands between a CoAP client and its socket and spoils what comes and goes, to show that the
// oracles notice. Does nothing in an honest run.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "coap_message.hpp"
#include "ledger.hpp"
#include "options.hpp"

namespace hermod::sim {

class CoapSaboteur {
 public:
  /// What the client knows of a message that came.
  struct Subject {
    std::optional<TopicId> topic;
    bool answers_get = false;     ///< a GET that does not observe
    bool answers_change = false;  ///< PUT or DELETE
    bool over = false;            ///< something that was observed here was cancelled long ago
    bool calm = false;            ///< the network loses nothing any more
  };

  CoapSaboteur(Sabotage kind, const Ledger& ledger) : kind_(kind), ledger_(ledger) {}

  /// What the client hears instead of a message. Nothing: somebody acknowledges it in its name.
  [[nodiscard]] std::vector<CoapMessage> pass(CoapMessage message, const Subject& subject);
  /// What is sent beside a request.
  [[nodiscard]] std::optional<Octets> beside(const Octets& request);
  /// The token of an observation that was cancelled.
  void cancelled(const std::string& token);

 private:
  [[nodiscard]] bool is_swallowed(const CoapMessage& message, const Subject& subject);
  void spoil(CoapMessage& message, const Subject& subject);
  void replace_by_earlier(CoapMessage& message, TopicId topic) const;
  [[nodiscard]] std::optional<Octets> cut_body(const Octets& request);
  void revive(CoapMessage& message, TopicId topic) const;

  Sabotage kind_;
  const Ledger& ledger_;
  std::map<std::string, CoapMessage> notifications_;  // the first of each token
  std::set<std::uint16_t> secret_;                    // Message IDs that the client never used
  std::optional<std::string> victim_;                 // token of the exchange without an answer
  std::optional<CoapMessage> ghost_;
};

}  // namespace hermod::sim
