// SPDX-License-Identifier: Apache-2.0
// The only file of the program that includes CLI11, which takes long to compile: what the options
// are called and what they mean. The commands get plain values.
#include "cli.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "commands/exit_code.hpp"
#include "commands/options.hpp"
#include "commands/passwd.hpp"
#include "commands/pub.hpp"
#include "commands/serve.hpp"
#include "commands/sub.hpp"
#include "config/reader.hpp"
#include "hermod/load/cli.hpp"
#include "text/suggest.hpp"
#include "version.hpp"

namespace hermod::app {
namespace {

constexpr std::string_view kHelp = R"(Hermod: a messaging broker for the Internet of Things.

  hermod serve                                     broker: MQTT on 1883, CoAP on 5683, this machine
  hermod sub 'mqtt://localhost/#' -v               print what is published
  hermod pub mqtt://localhost/hello -m hi          publish a message
  hermod pub coap://localhost/hello -m hi          the same topic over CoAP
  hermod bench fan-out --url mqtt://localhost      measure an MQTT or CoAP server

Commands:
  serve     run the broker
  pub       publish messages over MQTT or CoAP
  sub       subscribe and print messages over MQTT or CoAP
  passwd    keep the users of a broker and their passwords
  bench     measure a server
  help      this text; hermod help COMMAND: its options; hermod help config: the configuration file

  --version print the version

Exit status: 0 done, 1 failed, 2 wrong command line or configuration, 27 timed out (-W),
130 interrupted by Ctrl-C.
)";

constexpr std::array<std::string_view, 6> kCommands{"serve", "pub",    "sub",
                                                    "bench", "passwd", "help"};

/// Options of mosquitto's clients that are not there, and why.
struct Missing {
  std::string_view name;
  std::string_view why;
};
constexpr std::string_view kNoTls = "there is no TLS yet";
constexpr std::array kMissing{
    Missing{"--cafile", kNoTls},
    Missing{"--capath", kNoTls},
    Missing{"--cert", kNoTls},
    Missing{"--key", kNoTls},
    Missing{"--keyform", kNoTls},
    Missing{"--ciphers", kNoTls},
    Missing{"--tls-version", kNoTls},
    Missing{"--tls-alpn", kNoTls},
    Missing{"--tls-engine", kNoTls},
    Missing{"--tls-use-os-certs", kNoTls},
    Missing{"--insecure", kNoTls},
    Missing{"--psk", kNoTls},
    Missing{"--psk-identity", kNoTls},
    Missing{"--proxy", "proxies are not supported"},
    Missing{"--unix", "Unix sockets are not supported"},
    Missing{"-S", "SRV lookups are not supported"},
    Missing{"-A", "choosing the own address is not supported"},
};

/// An option with a value that is taken as it is, also when it begins with a dash.
template <typename T>
CLI::Option* value(CLI::App& app, const std::string& name, T& into, const std::string& help) {
  return app.add_option(name, into, help)->allow_extra_args(false);
}

void declare_client(CLI::App& app, ClientOptions& o) {
  app.add_option("url", o.url, "mqtt://[user[:password]@]host[:port]/topic, or coap://host/topic");
  value(app, "-L,--url", o.url, "the same as an option");
  value(app, "-h,--host", o.host_option, "host of the broker (default localhost)");
  value(app, "-p,--port", o.port_option, "its port (default 1883; CoAP: 5683)")
      ->check(CLI::Range(1, 65'535));
  value(app, "-u,--username", o.user, "user name");
  value(app, "-P,--pw", o.password, "password");
  value(app, "--auth", o.auth,
        "MQTT 5: SCRAM-SHA-256, by which -u and -P are proven without being sent");
  value(app, "-i,--id", o.id, "client id (default: the broker assigns one)");
  value(app, "-I,--id-prefix", o.id_prefix, "client id: this and the process id");
  app.add_flag(
      "-c,--disable-clean-session", o.keep_session,
      "the broker keeps the session and queues messages while the client is away; needs -i");
  value(app, "-k,--keepalive", o.keep_alive_s,
        "seconds between signs of life, 0: none (default 60)");
  value(app, "-V,--protocol-version", o.version,
        "mqttv5, mqttv311 or mqttv31, or 5, 311, 31 (default mqttv311; with -D or -x mqttv5)");
  value(app, "-x,--session-expiry-interval", o.session_expiry,
        "MQTT 5: seconds that the session outlives the connection, -1: for ever (default: 0, with "
        "-c for ever)");
  app.add_option("-D,--property", o.has_properties,
                 "MQTT 5: COMMAND NAME VALUE, or COMMAND user-property NAME VALUE. Commands are "
                 "connect, publish, will, subscribe, unsubscribe, disconnect; names as in the "
                 "specification, such as content-type; may be repeated")
      ->type_name("...");
  value(app, "-q,--qos", o.qos, "quality of service 0, 1 or 2 (default 0)")
      ->check(CLI::Range(0, 2));
  value(app, "-W", o.timeout_s, "seconds after which to give up, with exit status 27")
      ->check(CLI::PositiveNumber);
  value(app, "--will-topic", o.will_topic,
        "topic of the will: what the broker publishes when the "
        "client is lost");
  value(app, "--will-payload", o.will_payload, "its message (default empty)");
  value(app, "--will-qos", o.will_qos, "its quality of service (default 0)")
      ->check(CLI::Range(0, 2));
  app.add_flag("--will-retain", o.will_retain, "the will is retained");
  app.add_flag("-d,--debug", o.debug, "say on stderr what is sent and received");
  app.add_flag("--quiet", o.quiet, "no errors on stderr, the exit status tells");
}

void declare_pub(CLI::App& app, PubOptions& o) {
  declare_client(app, o.client);
  value(app, "-t,--topic", o.topic, "topic to publish to");
  value(app, "-m,--message", o.message, "the message");
  value(app, "-f,--file", o.file, "a file is the message");
  app.add_flag("-l,--stdin-line", o.lines, "each line of the standard input is a message");
  app.add_flag("-s,--stdin-file", o.whole_input, "the whole standard input is the message");
  app.add_flag("-n,--null-message", o.null, "an empty message");
  app.add_flag("-r,--retain", o.retain, "the broker keeps the message for later subscribers");
  value(app, "--repeat", o.repeat, "publish the message so many times (default 1)")
      ->check(CLI::Range(std::uint32_t{1}, UINT32_MAX));
  value(app, "--repeat-delay", o.repeat_delay_s, "seconds between them (default 0)")
      ->check(CLI::Range(0.0, 1e9));
}

void declare_sub(CLI::App& app, SubOptions& o) {
  declare_client(app, o.client);
  value(app, "-t,--topic", o.topics, "topic or filter to subscribe to; may be repeated");
  value(app, "-T,--filter-out", o.filtered_out, "do not print topics that match; may be repeated");
  value(app, "-U,--unsubscribe", o.unsubscribe, "unsubscribe from this; may be repeated");
  value(app, "-C", o.count, "end after so many messages")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 62));
  app.add_flag("-v,--verbose", o.verbose, "print the topic before each message");
  value(app, "-F,--format", o.format,
        "how to print: %t topic, %p payload, %q QoS, %r retained, %l length, %m packet id, %x %X "
        "hexadecimal, %j %J JSON, %I %U time, @X as strftime, \\n \\t; of MQTT 5 %C %D %E %F %P %R "
        "%S");
  app.add_flag("-N", o.no_newline, "no end of line after messages");
  app.add_flag("-R", o.no_retained, "do not print retained messages");
  app.add_flag("--retain-as-published", o.retain_as_published,
               "MQTT 5: %r is what the publisher said");
  app.add_flag("--retained-only", o.retained_only,
               "print retained messages, end at the first other");
  app.add_flag("--remove-retained", o.remove_retained, "clear the retained messages that come");
  app.add_flag("-E", o.exit_after_subscribing,
               "end once the broker has accepted the subscriptions");
}

void declare_serve(CLI::App& app, ServeOptions& o) {
  value(app, "-c,--config-file", o.config_file, "configuration in mosquitto.conf's grammar");
  value(app, "-p,--port", o.port, "port for MQTT instead of 1883")->check(CLI::Range(1, 65'535));
  value(app, "--coap-port", o.coap_port, "port for CoAP instead of 5683")
      ->check(CLI::Range(1, 65'535));
  app.add_flag("-v,--verbose", o.verbose, "log everything, whatever the configuration says");
}

void declare_passwd(CLI::App& app, PasswdOptions& o) {
  app.add_option("file", o.file, "password file of the broker");
  app.add_option("user", o.user, "user name");
  app.add_option("password", o.password, "password, with -b only");
  app.add_flag("-c,--create", o.create, "make a new file, in place of an old one");
  app.add_flag("-b,--batch", o.batch, "the password stands on the command line");
  app.add_flag("-D,--delete", o.remove, "remove the user");
  app.add_flag("-U,--upgrade", o.upgrade, "hash all passwords of the file that are not hashed");
  value(app, "-H,--hash", o.hash,
        "sha512-pbkdf2 (default), scram-sha-256, or sha512, as mosquitto 1.6 has it");
  value(app, "-I,--iterations", o.iterations,
        "cost of sha512-pbkdf2 (default 1000) or scram-sha-256 (default 4096)")
      ->check(CLI::Range(1u, identity::kIterationsMax));
}

/// Where a command's option ends: "--foo=bar" is "--foo".
std::string_view option_name(std::string_view text) {
  return text.substr(0, text.find('='));
}

std::string unknown_option(const CLI::App& app, const std::string& given) {
  const std::string_view name = option_name(given);
  const auto missing = std::ranges::find(kMissing, name, &Missing::name);
  if (missing != kMissing.end()) return fmt::format("{} is not supported: {}.", name, missing->why);
  if (!name.starts_with('-')) {
    return fmt::format("\"{}\" is one argument too many. Put quotes around what holds blanks.",
                       given);
  }
  std::vector<std::string> long_names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& one : option->get_lnames()) long_names.push_back("--" + one);
  }
  const std::vector<std::string_view> views(long_names.begin(), long_names.end());
  return fmt::format("there is no option {}.{}", name, did_you_mean(name, views));
}

int usage(std::string_view command, std::string_view text) {
  fmt::print(stderr, "hermod {}: {}\nAll options: hermod help {}\n", command, text, command);
  return kExitUsage;
}

/// The parser of one command. `-h` is the host, so help is --help and -?.
class Command {
 public:
  explicit Command(std::string_view name, std::string_view purpose)
      : name_(name), app_(std::string(purpose), "hermod " + std::string(name)) {
    app_.set_help_flag("-?,--help", "this text");
    app_.allow_extras();
    app_.get_formatter()->column_width(34);
  }

  [[nodiscard]] CLI::App& app() { return app_; }
  [[nodiscard]] std::string_view name() const { return name_; }

  /// True when the command is to run; `status` otherwise.
  bool parse(int argc, char** argv, int& status, ClientOptions* client = nullptr) {
    std::vector<char*> words(argv, argv + argc);
    if (client != nullptr) {
      if (const std::string error = take_properties(words, *client); !error.empty()) {
        status = usage(name_, error);
        return false;
      }
    }
    try {
      app_.parse(static_cast<int>(words.size()), words.data());
    } catch (const CLI::CallForHelp&) {
      fmt::print("{}", app_.help());
      status = kExitOk;
      return false;
    } catch (const CLI::ParseError& error) {
      status = usage(name_, std::string(error.what()) + ".");
      return false;
    }
    if (const auto extras = app_.remaining(); !extras.empty()) {
      status = usage(name_, unknown_option(app_, extras.front()));
      return false;
    }
    return true;
  }

 private:
  /// Takes each -D out of the words, with the three or four behind it: their number depends on what
  /// they say, and they may begin with a dash. What is wrong with them, in words.
  std::string take_properties(std::vector<char*>& words, ClientOptions& client) {
    for (std::size_t i = 1; i < words.size();) {
      const std::string_view word = words[i];
      if (word != "-D" && word != "--property") {
        const CLI::Option* option =
            word.starts_with('-') ? app_.get_option_no_throw(std::string(word)) : nullptr;
        i += option != nullptr && option->get_expected_min() > 0 ? 2 : 1;
        continue;
      }
      const auto count = read_property(std::span(words).subspan(i + 1), client.properties);
      if (!count) return count.error();
      client.has_properties = true;
      const auto at = words.begin() + static_cast<std::ptrdiff_t>(i);
      words.erase(at, at + 1 + static_cast<std::ptrdiff_t>(*count));
    }
    return {};
  }

  std::string name_;
  CLI::App app_;
};

int run_pub_command(int argc, char** argv) {
  PubOptions options;
  Command command("pub",
                  "Publishes messages.\n\n"
                  "  hermod pub mqtt://localhost/Temperature/Kitchen -m 34.5\n"
                  "  hermod pub -h localhost -t Temperature/Kitchen -m 34.5 -q 1 -r\n"
                  "  hermod pub coap://localhost/Temperature/Kitchen -m 34.5\n");
  declare_pub(command.app(), options);
  int status = kExitOk;
  if (!command.parse(argc, argv, status, &options.client)) return status;
  if (auto checked = complete(options); !checked) return usage("pub", checked.error());
  return run_pub(options);
}

int run_sub_command(int argc, char** argv) {
  SubOptions options;
  Command command("sub",
                  "Subscribes and prints what comes.\n\n"
                  "  hermod sub 'mqtt://localhost/Temperature/+' -v\n"
                  "  hermod sub -t 'Temperature/#' -C 1 -W 10 -F '%I %t %p'\n"
                  "  hermod sub coap://localhost/Temperature/Kitchen\n");
  declare_sub(command.app(), options);
  int status = kExitOk;
  if (!command.parse(argc, argv, status, &options.client)) return status;
  options.has_format = command.app().count("--format") > 0;
  if (auto checked = complete(options); !checked) return usage("sub", checked.error());
  return run_sub(options);
}

int run_serve_command(int argc, char** argv) {
  ServeOptions options;
  Command command("serve",
                  "Runs the broker until SIGTERM or Ctrl-C. Without a configuration it "
                  "speaks MQTT on 1883 and CoAP\non 5683, to this machine only.\n\n"
                  "  hermod serve\n"
                  "  hermod serve -c /etc/hermod.conf\n");
  declare_serve(command.app(), options);
  int status = kExitOk;
  if (!command.parse(argc, argv, status)) return status;
  return run_serve(options);
}

int run_passwd_command(int argc, char** argv) {
  PasswdOptions options;
  Command command("passwd",
                  "Keeps a password file: adds a user or changes his password, which is asked for "
                  "twice.\n\n"
                  "  hermod passwd -c /etc/hermod/passwd alice\n"
                  "  hermod passwd -D /etc/hermod/passwd alice\n"
                  "  hermod passwd -U /etc/hermod/passwd\n");
  declare_passwd(command.app(), options);
  int status = kExitOk;
  if (!command.parse(argc, argv, status)) return status;
  if (auto checked = complete(options); !checked) return usage("passwd", checked.error());
  return run_passwd(options);
}

int run_help(int argc, char** argv) {
  const std::string_view about = argc > 1 ? argv[1] : "";
  if (about.empty() || about == "help") {
    fmt::print("{}", kHelp);
    return kExitOk;
  }
  if (about == "config") {
    fmt::print("{}", config_help());
    return kExitOk;
  }
  if (std::ranges::find(kCommands, about) == kCommands.end()) {
    fmt::print(stderr, "hermod help: there is no command \"{}\".{} Commands are {}.\n", about,
               did_you_mean(about, kCommands), join(kCommands));
    return kExitUsage;
  }
  std::string name(about);
  std::string flag = "--help";
  std::array<char*, 4> line{argv[0], name.data(), flag.data(), nullptr};
  return run_cli(3, line.data());
}

}  // namespace

int run_cli(int argc, char** argv) {
  const std::string_view command = argc > 1 ? argv[1] : "";
  if (command == "serve") return run_serve_command(argc - 1, argv + 1);
  if (command == "pub") return run_pub_command(argc - 1, argv + 1);
  if (command == "sub") return run_sub_command(argc - 1, argv + 1);
  if (command == "passwd") return run_passwd_command(argc - 1, argv + 1);
  if (command == "bench") return load::main_bench(argc - 1, argv + 1);
  if (command == "help") return run_help(argc - 1, argv + 1);
  if (command == "--version") {
    fmt::print("hermod {}\n", kVersion);
    return kExitOk;
  }
  if (command == "--help" || command == "-h" || command == "-?") {
    fmt::print("{}", kHelp);
    return kExitOk;
  }
  if (command.empty()) {
    fmt::print(stderr, "{}", kHelp);
    return kExitUsage;
  }
  fmt::print(stderr, "hermod: there is no command \"{}\".{} Commands are {}.\n", command,
             did_you_mean(command, kCommands), join(kCommands));
  return kExitUsage;
}

}  // namespace hermod::app
