// SPDX-License-Identifier: Apache-2.0
// Errors in words, with what to do about them.
#include "commands/explain.hpp"

#include <fmt/format.h>

#include <boost/asio/error.hpp>

#include "commands/explain_way.hpp"

namespace hermod::app {
namespace {

namespace net = boost::asio::error;
using client::Error;

std::string_view protocol_text(const ClientOptions& options) {
  if (options.scheme == Scheme::kCoap) return "CoAP";
  switch (options.protocol) {
    case mqtt::Version::kV31:
      return "MQTT 3.1";
    case mqtt::Version::kV311:
      return "MQTT 3.1.1";
    default:
      return "MQTT 5";
  }
}

}  // namespace

std::string peer_text(const ClientOptions& options) {
  if (!options.unix_path.empty()) return options.unix_path;
  if (options.service) return fmt::format("The broker of \"{}\"", options.host);
  const bool v6 = options.host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", options.host, v6 ? "]" : "", options.port);
}

namespace {

/// There is no connection; empty for other errors.
std::string explain_network(client::error_code error, const ClientOptions& options,
                            const std::string& peer) {
  if (error == net::connection_refused) {
    return fmt::format(
        "Connection refused: nothing listens on {}. Is the broker running? Start one "
        "with `hermod serve`.",
        peer);
  }
  if (error == net::host_not_found || error == net::no_data) {
    return fmt::format("There is no host \"{}\". Check its name.", options.host);
  }
  if (error == net::host_not_found_try_again) {
    return fmt::format(
        "The host name \"{}\" cannot be looked up now. Check the network, or give "
        "its address.",
        options.host);
  }
  if (!options.local_host.empty() && error == boost::system::errc::address_not_available) {
    return fmt::format("This machine has no address {} to connect from. Check -A.",
                       options.local_host);
  }
  if (!options.local_host.empty() && error == net::address_family_not_supported) {
    return fmt::format("{} has no address of the kind that {} needs, IPv4 or IPv6. Check -A.",
                       options.local_host, options.host);
  }
  if (error == net::network_unreachable || error == net::host_unreachable) {
    return fmt::format("There is no way to {}: {}. Check its address, and this machine's network.",
                       peer, error.message());
  }
  if (error == Error::kTimeout || error == net::timed_out) {
    return fmt::format(
        "{} does not answer. Check host and port, and whether a firewall is between.", peer);
  }
  return {};
}

/// The broker says no to CONNECT; empty for other errors.
std::string explain_refusal(client::error_code error, const ClientOptions& options,
                            const std::string& peer) {
  if (error == Error::kBadCredentials && !options.auth.empty()) {
    return fmt::format(
        "{} refused the connection: bad user name or password. Check -u and -P; the broker needs a "
        "line for this user that was made by `hermod passwd -H scram-sha-256`.",
        peer);
  }
  if (error == client::to_error(mqtt::ReasonCode::kBadAuthenticationMethod)) {
    return fmt::format(
        "{} refused the connection: it does not know {}. Give it a password_file with users made "
        "by `hermod passwd -H scram-sha-256`, or leave out --auth: then the password is sent as it "
        "is.",
        peer, options.auth);
  }
  if (error == Error::kBadCredentials) {
    return fmt::format("{} refused the connection: bad user name or password. Check -u and -P.",
                       peer);
  }
  if (error == Error::kNotAuthorized) {
    return fmt::format(
        "{} refused the connection: not authorized. Give -u and -P, or let the broker "
        "accept anonymous clients (allow_anonymous true).",
        peer);
  }
  if (error == Error::kIdentifierRejected) {
    return fmt::format(
        "{} refused the connection: it does not accept the client id \"{}\". Choose "
        "another with -i.",
        peer, options.id);
  }
  if (error == Error::kProtocolVersion) {
    return fmt::format("{} refused the connection: it does not speak {}.", peer,
                       protocol_text(options));
  }
  if (error == Error::kServerUnavailable) {
    return fmt::format("{} refused the connection: it is not available now. Try again later.",
                       peer);
  }
  return {};
}

}  // namespace

std::string explain(client::error_code error, const ClientOptions& options) {
  const std::string peer = peer_text(options);
  if (std::string text = explain_way(error, options); !text.empty()) return text;
  if (std::string text = explain_network(error, options, peer); !text.empty()) return text;
  if (std::string text = explain_refusal(error, options, peer); !text.empty()) return text;
  if (error == Error::kClosedByServer || error == net::connection_reset ||
      error == net::broken_pipe) {
    return fmt::format(
        "{} closed the connection. Another client may have come with the same id, or "
        "the broker ended or did not accept what was sent: its log tells.",
        peer);
  }
  if (error == Error::kProtocolViolation) {
    return fmt::format("{} does not answer in {}. Check the port.", peer, protocol_text(options));
  }
  return fmt::format("{}: {}.", peer, error.message());
}

}  // namespace hermod::app
