// SPDX-License-Identifier: Apache-2.0
#include "commands/passwd.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "commands/exit_code.hpp"
#include "hermod/identity/password_file.hpp"
#include "text/file.hpp"
#include "text/secret_input.hpp"

namespace hermod::app {
namespace {

using Text = std::expected<std::string, std::string>;

int fail(const Program& program, std::string_view text) {
  fmt::print(stderr, "{}\n", program.error_line(text));
  return kExitError;
}

// Typed twice at a terminal, since nobody sees it; also from a pipe, as with mosquitto_passwd.
std::expected<std::string, int> ask_password(const Program& program) {
  const auto read = [&program](std::string_view prompt) -> std::expected<std::string, int> {
    auto secret = read_secret(prompt);
    if (secret) return std::move(*secret);
    if (secret.error() == NoSecret::kInterrupted) return std::unexpected(kExitInterrupted);
    return std::unexpected(fail(
        program,
        "the password is expected twice on the standard input. Or give it as an argument: -b"));
  };
  auto first = read("Password: ");
  if (!first) return first;
  auto second = read("Reenter password: ");
  if (!second) return second;
  const bool same = *first == *second;
  identity::wipe(*second);
  if (!same)
    return std::unexpected(fail(program, "the two passwords differ. Nothing was changed."));
  return first;
}

Text old_text(const PasswdOptions& options) {
  if (options.create) return std::string();
  auto text = read_whole_file(options.file);
  if (!text) {
    std::error_code error;
    const bool there = std::filesystem::exists(options.file, error);
    return std::unexpected(fmt::format("{} cannot be read: {}.{}", options.file, text.error(),
                                       there ? "" : " To make a new one give -c."));
  }
  return std::move(*text);
}

std::expected<identity::PasswordHash, std::string> hashed(const PasswdOptions& options,
                                                          Bytes password) {
  if (const auto wrong = identity::wrong_password(password, options.kind)) {
    return std::unexpected(
        fmt::format("{} cannot be made of the password: {}.", options.hash, *wrong));
  }
  auto hash = identity::hash_password(password, options.kind, *options.iterations);
  if (!hash) return std::unexpected("hashing failed: the system gives no random numbers.");
  return std::move(*hash);
}

Text upgraded(const PasswdOptions& options, std::string_view text) {
  const auto hasher = [&options](Bytes password) { return hashed(options, password); };
  auto made = identity::with_hashes(text, options.file, hasher);
  if (made) return std::move(*made);
  return std::unexpected(made.error().to_text() + " Nothing was changed.");
}

Text removed(const PasswdOptions& options, std::string_view text) {
  auto made = identity::without_user(text, *options.user);
  if (made) return std::move(*made);
  return std::unexpected(fmt::format("{} has no user \"{}\".", options.file, *options.user));
}

Text added(const PasswdOptions& options, std::string_view text) {
  const auto hash = hashed(options, as_bytes(*options.password));
  if (!hash) return std::unexpected(hash.error() + " Nothing was changed.");
  return identity::with_user(text, *options.user, *hash);
}

// The kind of hash, and iterations that it may have.
std::expected<void, std::string> take_hash(PasswdOptions& options) {
  using identity::HashKind;
  constexpr std::uint32_t kUsual = 1'000;
  const auto kind = options.hash == "sha512-pbkdf2"   ? std::optional(HashKind::kPbkdf2Sha512)
                    : options.hash == "scram-sha-256" ? std::optional(HashKind::kScramSha256)
                    : options.hash == "sha512"        ? std::optional(HashKind::kSha512)
                                                      : std::nullopt;
  if (!kind) {
    return std::unexpected(fmt::format(
        "-H is \"{}\", but must be sha512-pbkdf2, scram-sha-256 or sha512.", options.hash));
  }
  options.kind = *kind;
  const auto [least, most] = identity::iterations_of(*kind);
  if (!options.iterations) options.iterations = std::max(kUsual, least);
  if (*options.iterations < least || *options.iterations > most) {
    return std::unexpected(fmt::format("-I is {}, but {} takes from {} to {}.", *options.iterations,
                                       options.hash, least, most));
  }
  return {};
}

}  // namespace

std::expected<void, std::string> complete(PasswdOptions& options) {
  const auto wrong = [](std::string_view text) { return std::unexpected(std::string(text)); };
  if (options.file.empty())
    return std::unexpected(
        fmt::format("the password file is missing: {} FILE USER.", options.program.name));
  if (auto taken = take_hash(options); !taken) return taken;
  const int modes = (options.create ? 1 : 0) + (options.remove ? 1 : 0) + (options.upgrade ? 1 : 0);
  if (modes > 1) return wrong("-c, -D and -U exclude each other.");
  if (options.upgrade) {
    if (options.user || options.batch) return wrong("-U takes the file alone: -U FILE.");
    return {};
  }
  if (!options.user)
    return std::unexpected(
        fmt::format("the user name is missing: {} FILE USER.", options.program.name));
  if (auto name = identity::wrong_user_name(*options.user); name && !options.remove) {
    return std::unexpected(std::move(*name));
  }
  if (options.password && !options.batch) {
    return wrong(
        "a password on the command line needs -b, since other users of this machine can see it.");
  }
  if (options.batch && (!options.password || options.remove)) {
    return wrong("-b needs file, user and password: -b FILE USER PASSWORD.");
  }
  return {};
}

int run_passwd(PasswdOptions& options) {
  const Program& program = options.program;
  const auto text = old_text(options);
  if (!text) return fail(program, text.error());
  if (!options.upgrade && !options.remove) {
    if (!options.batch) {
      auto password = ask_password(options.program);
      if (!password) return password.error();
      options.password = std::move(*password);
    }
    if (options.password->empty())
      return fail(program, "the password is empty. Nothing was changed.");
    if (options.password->size() > 65'535) {
      return fail(program, "the password is longer than 65535 octets, which MQTT cannot carry.");
    }
  }
  const Text made = options.upgrade  ? upgraded(options, *text)
                    : options.remove ? removed(options, *text)
                                     : added(options, *text);
  if (options.password) identity::wipe(*options.password);
  if (!made) return fail(program, made.error());
  if (auto done = replace_file(options.file, *made); !done) {
    return fail(program, fmt::format("{} cannot be written: {}.", options.file, done.error()));
  }
  return kExitOk;
}

}  // namespace hermod::app
