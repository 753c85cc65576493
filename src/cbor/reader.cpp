// SPDX-License-Identifier: Apache-2.0
#include "hermod/cbor/reader.hpp"

#include <cbor.h>

#include "hermod/base/utf8.hpp"

namespace hermod::cbor {
namespace {

// --- what libcbor calls: each sets the item ---

Item& item_of(void* context) {
  return *static_cast<Item*>(context);
}

template <Kind kKind, typename Value>
void on_value(void* context, Value value) {
  item_of(context).kind = kKind;
  item_of(context).value = value;
}
template <Kind kKind>
void on_string(void* context, cbor_data octets, std::size_t size) {
  item_of(context).kind = kKind;
  item_of(context).bytes = {octets, size};
}
template <Kind kKind>
void on_indefinite(void* context) {
  item_of(context).kind = kKind;
  item_of(context).indefinite = true;
}
template <typename Number>
void on_float(void* context, Number number) {
  item_of(context).kind = Kind::kFloat;
  item_of(context).number = number;
}
template <std::uint64_t kValue>
void on_simple(void* context) {
  on_value<Kind::kSimple>(context, kValue);
}
void on_boolean(void* context, bool value) {
  on_value<Kind::kSimple>(context, value ? kTrue : kFalse);
}
void on_break(void* context) {
  item_of(context).kind = Kind::kEnd;
}

constexpr cbor_callbacks kCallbacks{
    .uint8 = on_value<Kind::kUnsigned>,
    .uint16 = on_value<Kind::kUnsigned>,
    .uint32 = on_value<Kind::kUnsigned>,
    .uint64 = on_value<Kind::kUnsigned>,
    .negint64 = on_value<Kind::kNegative>,
    .negint32 = on_value<Kind::kNegative>,
    .negint16 = on_value<Kind::kNegative>,
    .negint8 = on_value<Kind::kNegative>,
    .byte_string_start = on_indefinite<Kind::kBytes>,
    .byte_string = on_string<Kind::kBytes>,
    .string = on_string<Kind::kText>,
    .string_start = on_indefinite<Kind::kText>,
    .indef_array_start = on_indefinite<Kind::kArray>,
    .array_start = on_value<Kind::kArray>,
    .indef_map_start = on_indefinite<Kind::kMap>,
    .map_start = on_value<Kind::kMap>,
    .tag = on_value<Kind::kTag>,
    .float2 = on_float<float>,
    .float4 = on_float<float>,
    .float8 = on_float<double>,
    .undefined = on_simple<kUndefined>,
    .null = on_simple<kNull>,
    .boolean = on_boolean,
    .indef_break = on_break,
};

// Reads a head that is well-formed and that libcbor 0.8 refuses; the octets it took, 0 for none.
std::size_t read_refused(Bytes octets, Item& item) {
  const std::uint8_t first = octets[0];
  if (first >= 0xc6 && first <= 0xd4) {
    on_value<Kind::kTag>(&item, first - 0xc0u);
    return 1;
  }
  if (first >= 0xe0 && first <= 0xf3) {
    on_value<Kind::kSimple>(&item, first - 0xe0u);
    return 1;
  }
  // RFC 8949 §3.3: values below 32 are not well-formed in two octets
  if (first == 0xf8 && octets.size() > 1 && octets[1] >= 32) {
    on_value<Kind::kSimple>(&item, octets[1]);
    return 2;
  }
  return 0;
}

bool is_container(Kind kind) {
  return kind == Kind::kArray || kind == Kind::kMap;
}

}  // namespace

std::unexpected<Error> Reader::fail(std::size_t offset, const char* reason) {
  error_ = Error{offset, reason};
  return std::unexpected(*error_);
}

std::expected<Item, Error> Reader::next() {
  if (error_) return std::unexpected(*error_);
  if (depth_ > 0 && !open_[depth_ - 1].indefinite && open_[depth_ - 1].left == 0) {
    --depth_;
    return Item{.kind = Kind::kEnd, .offset = at_};
  }
  const auto item = read_head();
  if (!item) return item;
  return item->kind == Kind::kEnd ? close(*item) : place(*item);
}

std::expected<Item, Error> Reader::read_head() {
  const Bytes rest = octets_.subspan(at_);
  if (rest.empty()) return fail(at_, "an item is missing at the end");
  Item item{.offset = at_};
  std::size_t size = read_refused(rest, item);
  if (size == 0) {
    const cbor_decoder_result result =
        cbor_stream_decode(rest.data(), rest.size(), &kCallbacks, &item);
    if (result.status == CBOR_DECODER_NEDATA) return fail(at_, "the item goes past the end");
    if (result.status != CBOR_DECODER_FINISHED) {
      return fail(at_, "the item has a reserved form (RFC 8949 §3)");
    }
    size = result.read;
  }
  at_ += size;
  return item;
}

// A "break" (RFC 8949 §3.2.1).
std::expected<Item, Error> Reader::close(const Item& end) {
  if (depth_ == 0 || !open_[depth_ - 1].indefinite || tags_ > 0) {
    return fail(end.offset, "a \"break\" stands where an item belongs");
  }
  if (open_[depth_ - 1].key_read) return fail(end.offset, "a key of the map has no value");
  --depth_;
  return end;
}

std::expected<Item, Error> Reader::place(const Item& item) {
  if (item.kind == Kind::kText && !is_utf8(item.bytes)) {
    return fail(item.offset, "the text is not UTF-8");
  }
  const bool opens = is_container(item.kind) || item.indefinite;
  if ((opens || item.kind == Kind::kTag) && depth_ + tags_ >= kDepthMax) {
    return fail(item.offset, "items are nested too deeply");
  }
  if (depth_ > 0) {
    Open& parent = open_[depth_ - 1];
    if (!is_container(parent.kind) && (item.kind != parent.kind || item.indefinite)) {
      return fail(item.offset, "a string in chunks has something else in it");
    }
    if (item.kind != Kind::kTag) {  // what it tags is what counts
      if (!parent.indefinite) --parent.left;
      if (parent.indefinite && parent.kind == Kind::kMap) parent.key_read = !parent.key_read;
    }
  }
  if (item.kind == Kind::kTag) {
    ++tags_;
    return item;
  }
  tags_ = 0;
  if (!opens) return item;
  // Every item has an octet at least: a length above that is refused before anything is made of it.
  const std::size_t octets_left = octets_.size() - at_;
  const std::size_t per_entry = item.kind == Kind::kMap ? 2 : 1;
  if (!item.indefinite && item.value > octets_left / per_entry) {
    return fail(item.offset, "the array or map goes past the end");
  }
  open_[depth_] = {.kind = item.kind,
                   .indefinite = item.indefinite,
                   .left = item.indefinite ? 0 : item.value * per_entry};
  ++depth_;
  return item;
}

std::expected<void, Error> Reader::skip(const Item& item) {
  std::size_t open = is_container(item.kind) || item.indefinite ? 1 : 0;
  bool wanted = item.kind == Kind::kTag;
  while (open > 0 || wanted) {
    const auto inner = next();
    if (!inner) return std::unexpected(inner.error());
    wanted = inner->kind == Kind::kTag;
    if (inner->kind == Kind::kEnd) {
      --open;
    } else if (is_container(inner->kind) || inner->indefinite) {
      ++open;
    }
  }
  return {};
}

std::expected<void, Error> Reader::finish() {
  if (error_) return std::unexpected(*error_);
  while (depth_ > 0 && !open_[depth_ - 1].indefinite && open_[depth_ - 1].left == 0) --depth_;
  if (depth_ > 0 || tags_ > 0) return fail(at_, "an item is missing at the end");
  if (at_ < octets_.size()) return fail(at_, "there are octets behind the item");
  return {};
}

}  // namespace hermod::cbor
