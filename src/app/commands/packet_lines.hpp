// SPDX-License-Identifier: Apache-2.0
// The lines of -d: one for each packet that is sent or received, in the words of mosquitto's
// programs. It knows no connection.
#pragma once

#include <cstdint>
#include <string>

#include "commands/options.hpp"
#include "hermod/base/bytes.hpp"

namespace hermod::app {

class PacketLines {
 public:
  explicit PacketLines(const ClientOptions& options);

  /// What is to be said of a packet, in one line or several; nothing of what is no packet.
  [[nodiscard]] std::string lines(bool sent, Bytes packet);

 private:
  struct Teller;

  mqtt::Version version_;
  bool subscriber_;            // tells what was granted
  std::string name_;           // of the client, once it is known
  std::uint16_t last_id_ = 0;  // of what was sent: a PUBLISH of QoS 0 is counted, but not numbered
};

}  // namespace hermod::app
