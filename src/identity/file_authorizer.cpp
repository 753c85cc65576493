// SPDX-License-Identifier: Apache-2.0
#include "hermod/identity/file_authorizer.hpp"

#include <algorithm>

#include "hermod/base/hash.hpp"
#include "scram_exchange.hpp"

namespace hermod::identity {

using model::Reason;

FileAuthorizer::FileAuthorizer(Parts parts)
    : parts_(std::move(parts)), desk_(std::make_shared<Desk>(parts_.wake)) {
  version_ = parts_.directory->version();
  record_ = parts_.directory->record();
}

FileAuthorizer::~FileAuthorizer() {
  desk_->close();
}

std::optional<core::Login> FileAuthorizer::authenticate(const core::Credentials& credentials,
                                                        core::LoginTicket ticket) {
  if (!credentials.given) {
    return core::Login{ticket, parts_.allow_anonymous ? Reason::kOk : Reason::kNotAuthorized};
  }
  if (!record_->users) {  // nothing to compare with: names count only where anybody may come in
    return core::Login{ticket, parts_.allow_anonymous ? Reason::kOk : Reason::kNotAuthorized, true};
  }
  const PasswordHash* known = record_->users->find(credentials.username);
  const PasswordHash* hash = known != nullptr ? known : record_->users->decoy();
  if (hash == nullptr) return core::Login{ticket, Reason::kBadCredentials};
  const bool taken = parts_.pool->submit(
      {.hash = std::shared_ptr<const PasswordHash>{record_, hash},
       .password = {credentials.password.begin(), credentials.password.end()},
       .decoy = known == nullptr,
       .ticket = ticket,
       .proof = known == nullptr ? 0 : proof_of(credentials.username, *known, parts_.hash_key),
       .desk = desk_});
  if (!taken) return core::Login{ticket, Reason::kUnavailable};
  return std::nullopt;
}

void FileAuthorizer::cancel(core::LoginTicket ticket) {
  if (parts_.pool != nullptr) parts_.pool->cancel(*desk_, ticket);
}

std::unique_ptr<core::Exchange> FileAuthorizer::begin_exchange(std::string_view method) {
  if (method != sasl::kScramSha256 || !record_->users) return nullptr;
  return std::make_unique<ScramExchange>(record_, parts_.directory->secret(), parts_.hash_key);
}

bool FileAuthorizer::has_news() const {
  return !results_.empty() || !desk_->empty() || version_ != parts_.directory->version();
}

std::optional<core::Login> FileAuthorizer::next_login() {
  if (results_.empty()) {
    if (desk_->empty()) return std::nullopt;
    results_ = desk_->take();
    std::ranges::reverse(results_);
  }
  const Desk::Result result = results_.back();
  results_.pop_back();
  return core::Login{.ticket = result.ticket,
                     .reason = result.matches ? Reason::kOk : Reason::kBadCredentials,
                     .named = true,
                     .proof = result.proof};
}

bool FileAuthorizer::take_changes() {
  const std::uint64_t version = parts_.directory->version();
  if (version == version_) return false;
  version_ = version;
  record_ = parts_.directory->record();
  memory_.clear();
  return true;
}

bool FileAuthorizer::still_valid(const core::Actor& actor, std::uint64_t proof) {
  if (!actor.named) return parts_.allow_anonymous;
  if (!record_->users) return parts_.allow_anonymous;
  const PasswordHash* known = record_->users->find(actor.user);
  return known != nullptr && proof_of(actor.user, *known, parts_.hash_key) == proof;
}

core::Verdict FileAuthorizer::authorize(const core::Actor& actor, core::Action action,
                                        std::string_view name) {
  // Datagram peers ask without having come in.
  if (!actor.named && !parts_.allow_anonymous) return core::Verdict::kDeny;
  if (!record_->rules || action == core::Action::kSubscribe) return core::Verdict::kAllow;
  return remembered(actor, action, name) ? core::Verdict::kAllow : core::Verdict::kDeny;
}

bool FileAuthorizer::may_read_all(const core::Actor& actor, std::string_view filter) {
  return !record_->rules || record_->rules->allows_reading_all(actor, filter);
}

bool FileAuthorizer::remembered(const core::Actor& actor, core::Action action,
                                std::string_view topic) {
  if (actor.user.size() + actor.client_id.size() + topic.size() > kKeyMax) {
    return record_->rules->allows(actor, action, topic);
  }
  // No part holds a zero octet: the key says where each one ends.
  key_.clear();
  key_.push_back(action == core::Action::kPublish ? 'w' : 'r');
  key_.push_back(actor.named ? 'n' : 'a');
  key_.append(actor.user).push_back('\0');
  key_.append(actor.client_id).push_back('\0');
  key_.append(topic);
  if (memory_.empty()) memory_.resize(kRemembered);
  Memory& memory = memory_[keyed_hash(key_, parts_.hash_key) & (kRemembered - 1)];
  if (memory.key != key_) {
    memory.allowed = record_->rules->allows(actor, action, topic);
    memory.key = key_;
  }
  return memory.allowed;
}

}  // namespace hermod::identity
