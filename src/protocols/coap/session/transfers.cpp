// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/session/transfers.hpp"

#include <algorithm>
#include <utility>

namespace hermod::coap {
namespace {

// What is behind it is there, and what of it is there already is the same, or the block is one of
// another body: without a tag a peer may send one at a time (RFC 7959 §2.5, RFC 9175 §3.1).
bool continues(Bytes body, const Block& block, Bytes payload) {
  if (block.offset() > body.size()) return false;
  const Bytes kept = body.subspan(block.offset());
  if (!block.more && payload.size() < kept.size()) return false;
  const std::size_t common = std::min(payload.size(), kept.size());
  return std::ranges::equal(payload.first(common), kept.first(common));
}

}  // namespace

Transfers::Upload* Transfers::find_upload(std::uint64_t key) {
  const auto at = std::ranges::find(uploads_, key, &Upload::key);
  return at == uploads_.end() ? nullptr : &*at;
}

// A new body; where there are too many, the one that has waited longest makes room.
Transfers::Upload& Transfers::start(std::uint64_t key) {
  drop(key);
  if (uploads_.size() >= settings_.transfers_max) {
    uploads_.erase(std::ranges::min_element(uploads_, {}, &Upload::until));
  }
  return uploads_.emplace_back(Upload{.key = key, .share = session::BudgetShare{budget_}});
}

void Transfers::drop(std::uint64_t key) {
  std::erase_if(uploads_, [key](const Upload& upload) { return upload.key == key; });
}

Transfers::Step Transfers::receive(std::uint64_t key, const Block& block, Bytes payload,
                                   std::optional<std::uint32_t> size1, std::size_t body_max,
                                   Instant now) {
  // RFC 7959 §2.2: only the last block may be shorter; none is longer
  if (block.more ? payload.size() != block.size() : payload.size() > block.size()) {
    return Step::kWrong;
  }
  const std::size_t end = block.offset() + payload.size();
  if (end > body_max || size1.value_or(0) > body_max) {
    drop(key);
    return Step::kTooLarge;
  }
  Upload* upload = find_upload(key);
  // RFC 7959 §2.4: "the block number 0 ... starts a new transfer", also over one that is under way
  if (block.number == 0) upload = &start(key);
  if (upload == nullptr || !continues(upload->body, block, payload)) {
    drop(key);
    return Step::kIncomplete;
  }
  upload->until = now + settings_.transmission.exchange_lifetime();
  if (end > upload->body.size()) {
    if (!upload->share.resize(end)) {
      drop(key);
      return Step::kNoRoom;
    }
    upload->body.resize(block.offset());
    upload->body.insert(upload->body.end(), payload.begin(), payload.end());
  }
  return block.more ? Step::kContinue : Step::kWhole;
}

void Transfers::require_absent(std::uint64_t key) {
  if (Upload* upload = find_upload(key)) upload->if_none_match = true;
}

bool Transfers::requires_absent(std::uint64_t key) {
  const Upload* upload = find_upload(key);
  return upload != nullptr && upload->if_none_match;
}

std::vector<std::uint8_t> Transfers::take(std::uint64_t key) {
  std::vector<std::uint8_t> body = std::move(find_upload(key)->body);
  drop(key);
  return body;
}

bool Transfers::keep(std::uint64_t key, const Response& response, Instant now) {
  std::erase_if(kept_, [key](const Kept& kept) { return kept.key == key; });
  if (kept_.size() >= settings_.transfers_max) {
    kept_.erase(std::ranges::min_element(kept_, {}, &Kept::until));
  }
  session::BudgetShare share{budget_};
  const Bytes body = response.content.payload;
  if (!share.resize(body.size())) return false;
  kept_.push_back({.key = key,
                   .code = response.code,
                   .etag = response.content.etag,
                   .format = response.content.format,
                   .body = {body.begin(), body.end()},
                   .until = now + settings_.transmission.exchange_lifetime(),
                   .share = std::move(share)});
  return true;
}

const Transfers::Kept* Transfers::find(std::uint64_t key) const {
  const auto at = std::ranges::find(kept_, key, &Kept::key);
  return at == kept_.end() ? nullptr : &*at;
}

void Transfers::expire(Instant now) {
  std::erase_if(uploads_, [now](const Upload& upload) { return upload.until <= now; });
  std::erase_if(kept_, [now](const Kept& kept) { return kept.until <= now; });
}

Instant Transfers::due() const {
  Instant due = kNever;
  for (const Upload& upload : uploads_) due = std::min(due, upload.until);
  for (const Kept& kept : kept_) due = std::min(due, kept.until);
  return due;
}

}  // namespace hermod::coap
