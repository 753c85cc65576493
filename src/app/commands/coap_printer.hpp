// SPDX-License-Identifier: Apache-2.0
// Where a CoAP command's answers go: standard output as it is, for people, as JSON, or a file; and
// the lines of -v on stderr.
#pragma once

#include <expected>
#include <string>

#include "commands/coap_format.hpp"
#include "commands/coap_options.hpp"

namespace hermod::app {

class CoapPrinter {
 public:
  /// `options` outlive it.
  explicit CoapPrinter(const CoapCommandOptions& options);

  /// Says what is asked (-v).
  void asked() const;
  /// Prints a response or notification; the error says why it could not be written. With `failed`
  /// the payload is the server's explanation, which only JSON shows.
  [[nodiscard]] std::expected<void, std::string> print(const CoapPrintable& response,
                                                       bool failed = false);

 private:
  [[nodiscard]] std::expected<void, std::string> write_file(std::string_view octets);
  void answered(const CoapPrintable& response) const;

  const CoapCommandOptions& options_;
  bool pretty_;
  bool began_ = false;  // the file is there: what follows is appended
};

}  // namespace hermod::app
