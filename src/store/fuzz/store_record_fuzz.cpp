// SPDX-License-Identifier: Apache-2.0
// Bodies of records under any octets: the first octet is the kind, the rest the body. Whatever
// comes, what is read lies within its bounds, and what was read whole comes back the same when it
// is written and read again.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "message_record.hpp"
#include "settlement_records.hpp"
#include "state_record.hpp"
#include "tests/record_samples.hpp"
#include "varint.hpp"

namespace hermod::store {
namespace {

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

std::vector<std::uint8_t> body_of(const Draft& draft) {
  std::vector<std::uint8_t> body(draft.front.begin(), draft.front.end());
  body.insert(body.end(), draft.payload.begin(), draft.payload.end());
  require(hash_of(body) == draft.hash, "the hash of a draft");
  return body;
}

RecordView view_of(RecordKind kind, Bytes body) {
  return {.position = 8, .kind = kind, .version = kBodyVersion, .body = body};
}

struct Recipients {
  std::vector<std::vector<std::uint32_t>> ids;
  std::vector<core::Recipient> all;
};

bool read_recipients(RecipientReader reader, Recipients& into) {
  while (reader.next()) {
    const RecipientView& r = reader.recipient();
    r.subscription_ids(into.ids.emplace_back());
    into.all.push_back({r.queue, r.tag, 1, r.guarantee, r.retain_as_published, {}});
  }
  for (std::size_t i = 0; i < into.all.size(); ++i) into.all[i].subscription_ids = into.ids[i];
  return reader.ok();
}

void same_recipients(const Recipients& a, const Recipients& b) {
  require(a.all.size() == b.all.size() && a.ids == b.ids, "recipients");
  for (std::size_t i = 0; i < a.all.size(); ++i) {
    const core::Recipient& x = a.all[i];
    const core::Recipient& y = b.all[i];
    require(x.queue == y.queue && x.tag == y.tag && x.guarantee == y.guarantee &&
                x.retain_as_published == y.retain_as_published,
            "a recipient");
  }
}

// Its storage must be at hand as long as the message.
bool read_content(Bytes content, PropertyStorage& storage, model::Message& message) {
  const auto decoded = decode_content(content, {}, storage);
  if (!decoded) return false;
  message = *decoded;
  // Beyond what an instant can say it is cut, and then it is not the same number of milliseconds.
  if (message.expires_at < Instant{} - std::chrono::hours(1'000'000)) message.expires_at = kNever;
  return true;
}

void message(Bytes body) {
  const auto record = decode_message(view_of(RecordKind::kMessage, body));
  if (!record) return;
  Recipients recipients;
  PropertyStorage storage;
  model::Message content;
  if (!read_recipients(record->recipients, recipients)) return;
  if (!read_content(record->content, storage, content)) return;
  const model::Message* const run[] = {&content};
  content.origin.exchange = record->exchange;
  RunEncoder encoder;
  const auto drafts = encoder.encode(
      {.messages = run, .recipients = recipients.all, .moved_from = record->moved_from}, {});
  require(drafts[0].references == recipients.all.size(), "references");
  const auto again = body_of(drafts[0]);
  const auto decoded = decode_message(view_of(RecordKind::kMessage, again));
  require(decoded.has_value(), "a message that was written");
  require(decoded->exchange == (record->exchange >> 16 == 0 ? 0 : record->exchange), "an exchange");
  require(decoded->moved_from.queue == record->moved_from.queue, "a place that was left");
  require(decoded->moved_from.queue == 0 || decoded->moved_from.tag == record->moved_from.tag,
          "its tag");
  Recipients others;
  PropertyStorage other_storage;
  model::Message other;
  require(read_recipients(decoded->recipients, others), "recipients that were written");
  require(read_content(decoded->content, other_storage, other), "content that was written");
  same_recipients(recipients, others);
  require(samples::difference(content, other).empty(), "the message");
}

void value(Bytes body) {
  PropertyStorage storage;
  model::Message content;
  if (!read_content(body, storage, content)) return;
  RunEncoder encoder;
  const auto again = body_of(encoder.encode_value(content, {}));
  PropertyStorage other_storage;
  model::Message other;
  require(read_content(again, other_storage, other), "a value that was written");
  require(samples::difference(content, other).empty(), "the value");
}

template <typename Item, typename Write>
void items(RecordKind kind, Bytes body, Write write) {
  const auto read = [kind](Bytes octets, std::vector<Item>& into) {
    ItemReader<Item> reader(view_of(kind, octets));
    while (reader.next()) into.push_back(reader.item());
    return reader.ok();
  };
  std::vector<Item> once;
  if (!read(body, once)) return;
  Scratch scratch;
  const auto again = body_of(write(once, scratch));
  std::vector<Item> twice;
  require(read(again, twice) && once == twice, "settlements");
}

void state(Bytes body) {
  StateReader reader(view_of(RecordKind::kState, body));
  StateWriter writer;
  writer.begin(reader.checkpoint());
  std::vector<core::Standing> standings;
  while (reader.next()) standings.push_back(reader.standing());
  if (!reader.ok()) return;
  for (const core::Standing& standing : standings) writer.add(standing);
  const auto again = body_of(writer.draft(reader.checkpoint().complete));
  StateReader other(view_of(RecordKind::kState, again));
  require(other.checkpoint() == reader.checkpoint(), "the checkpoint");
  for (const core::Standing& standing : standings) {
    require(other.next() && other.standing() == standing, "the state of a queue");
  }
  require(!other.next() && other.ok(), "the end of the states");
}

void generation(Bytes body) {
  Cursor cursor(body);
  const std::uint64_t number = cursor.varint();
  if (!cursor.ok()) return;
  std::array<std::uint8_t, kVarintMax> again;
  const std::uint8_t* const end = put_varint(again.data(), number);
  Cursor other({again.data(), static_cast<std::size_t>(end - again.data())});
  require(other.varint() == number && other.ok(), "a generation of the metadata");
}

}  // namespace
}  // namespace hermod::store

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hermod::store;
  if (size == 0) return 0;
  const hermod::Bytes body{data + 1, size - 1};
  switch (const auto kind = static_cast<RecordKind>(data[0]); kind) {
    case RecordKind::kMessage:
      message(body);
      break;
    case RecordKind::kValue:
      value(body);
      break;
    case RecordKind::kSettled:
      items<Settled>(kind, body, draft_settled);
      break;
    case RecordKind::kReleased:
      items<Released>(kind, body, draft_released);
      break;
    case RecordKind::kClosed:
      items<Closed>(kind, body, draft_closed);
      break;
    case RecordKind::kState:
      state(body);
      break;
    case RecordKind::kMetadata:
      generation(body);
      break;
  }
  return 0;
}
