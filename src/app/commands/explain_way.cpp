// SPDX-License-Identifier: Apache-2.0
// What goes wrong on the ways to a broker that are not its host and port.
#include "commands/explain_way.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/error.hpp>

#include "commands/explain.hpp"

namespace hermod::app {
namespace {

namespace net = boost::asio::error;
using client::Error;

struct Cure {
  Error error;
  std::string_view text;  // after "The proxy HOST:PORT "
};
constexpr std::array kProxyCures{
    Cure{Error::kProxyNotSocks, "does not speak SOCKS5. Check host and port of --proxy."},
    Cure{Error::kProxyNeedsLogin,
         "wants a user name and password, or another way to log in than these. Give --proxy "
         "socks5h://USER:PASSWORD@HOST:PORT"},
    Cure{Error::kProxyBadCredentials,
         "does not accept the user name or password. Check those of --proxy, not -u and -P."},
    Cure{Error::kProxyClosed,
         "closed the connection before it was done. Check host and port of --proxy; its log may "
         "tell more."},
    Cure{Error::kProxyNameTooLong,
         "cannot be told: host, user name and password have 1 to 255 octets each. Check -h and "
         "--proxy."},
    Cure{Error::kProxyFailed, "failed, and does not say why. Its log may tell."},
    Cure{Error::kProxyNotAllowed,
         "does not allow this connection: its rules would have to be changed."},
    Cure{Error::kProxyNetworkUnreachable, "has no way to the broker's network. Check -h."},
    Cure{Error::kProxyHostUnreachable, "does not reach the broker: check its name or address, -h."},
    Cure{Error::kProxyRefused,
         "was refused: nothing listens there. Is the broker running? Check -h and -p."},
    Cure{Error::kProxyTtl, "finds the broker too far away. Check -h."},
    Cure{Error::kProxyNoConnect, "does not connect for others. Use another proxy."},
    Cure{Error::kProxyNoAddressKind,
         "does not take this kind of address. Give the broker's name with -h instead."},
};

std::string explain_proxy(client::error_code error, const ClientOptions& options) {
  const ProxyUrl& proxy = *options.proxy;
  const bool v6 = proxy.host.find(':') != std::string::npos;
  const std::string peer =
      fmt::format("{}{}{}:{}", v6 ? "[" : "", proxy.host, v6 ? "]" : "", proxy.port);
  if (error == net::connection_refused) {
    return fmt::format(
        "Connection refused: nothing listens on {}, where --proxy has its proxy. Check host and "
        "port, and whether it runs.",
        peer);
  }
  if (error == net::host_not_found || error == net::no_data ||
      error == net::host_not_found_try_again) {
    return fmt::format("There is no host \"{}\", where --proxy has its proxy. Check its name.",
                       proxy.host);
  }
  if (error == net::network_unreachable || error == net::host_unreachable) {
    return fmt::format("There is no way to the proxy {}: {}. Check --proxy.", peer,
                       error.message());
  }
  const auto cure = std::ranges::find_if(
      kProxyCures, [error](const Cure& one) { return make_error_code(one.error) == error; });
  if (cure == kProxyCures.end()) return {};
  return fmt::format("The proxy {} {} (To: {})", peer, cure->text, peer_text(options));
}

std::string explain_socket(client::error_code error, const ClientOptions& options) {
  if (error == boost::system::errc::no_such_file_or_directory) {
    return fmt::format(
        "There is no Unix socket \"{}\". Is the broker running, with the line \"listener 0 {}\" in "
        "its configuration?",
        options.unix_path, options.unix_path);
  }
  if (error == net::connection_refused) {
    return fmt::format(
        "Connection refused: nothing listens on \"{}\". Is the broker running, with this socket in "
        "its configuration?",
        options.unix_path);
  }
  if (error == net::access_denied) {
    return fmt::format(
        "This user may not connect to \"{}\": owner and mode of the file say who may (ls -l).",
        options.unix_path);
  }
  if (error == boost::system::errc::filename_too_long) {
    return fmt::format(
        "\"{}\" cannot be the path of a Unix socket: the kernel takes at most 107 octets.",
        options.unix_path);
  }
  return {};
}

}  // namespace

std::string explain_way(client::error_code error, const ClientOptions& options) {
  if (!options.unix_path.empty()) return explain_socket(error, options);
  if (options.proxy) return explain_proxy(error, options);
  if (error == Error::kNoService) {
    return fmt::format(
        "{} names no MQTT server: there is no SRV record _mqtt._tcp of it. Give the broker itself: "
        "-h HOST -p PORT, without -S.",
        options.host.empty() ? std::string("This machine's domain")
                             : fmt::format("The domain \"{}\"", options.host));
  }
  if (error == Error::kNameServer) {
    return fmt::format(
        "The SRV records of \"{}\" cannot be looked up: no name server gives an answer. Check the "
        "network and /etc/resolv.conf, or give the broker itself: -h HOST -p PORT, without -S.",
        options.host);
  }
  return {};
}

int mosquitto_status(client::error_code error) {
  // Numbers of libmosquitto: MOSQ_ERR_AUTH, MOSQ_ERR_NO_CONN, MOSQ_ERR_PROXY.
  constexpr int kAuth = 11;
  constexpr int kNoConnection = 4;
  constexpr int kProxy = 16;
  if (error == Error::kProxyNotAllowed || error == Error::kProxyNeedsLogin) return kAuth;
  if (error == Error::kProxyNetworkUnreachable || error == Error::kProxyHostUnreachable ||
      error == Error::kProxyRefused) {
    return kNoConnection;
  }
  const bool proxy = std::ranges::any_of(
      kProxyCures, [error](const Cure& one) { return make_error_code(one.error) == error; });
  return proxy ? kProxy : 0;
}

}  // namespace hermod::app
