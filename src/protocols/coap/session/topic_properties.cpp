// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/session/topic_properties.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "hermod/cbor/reader.hpp"

namespace hermod::coap {
namespace {

using cbor::Item;
using cbor::Kind;

constexpr std::array<std::string_view, 9> kNames{
    "topic-name",           "topic-data",     "resource-type",
    "topic-content-format", "topic-type",     "expiration-date",
    "max-subscribers",      "observer-check", "initialize"};

// tag 1 (RFC 8949 §3.4.2)
constexpr std::uint64_t kEpochTag = 1;
constexpr std::uint64_t kInt64Max = std::numeric_limits<std::int64_t>::max();

std::unexpected<PropertyError> refuse(std::size_t offset, std::string reason) {
  return std::unexpected(PropertyError{offset, std::move(reason)});
}

std::unexpected<PropertyError> refuse(const cbor::Error& error) {
  return refuse(error.offset, fmt::format("not well-formed CBOR: {}", error.reason));
}

std::unexpected<PropertyError> refuse(const Item& item, Property property, const char* what) {
  return refuse(item.offset, fmt::format("{} (key {}) {}", to_string(property),
                                         static_cast<unsigned>(property), what));
}

// The seconds of a date; nothing when they are no number or none that 64 bits hold.
std::optional<std::int64_t> seconds_of(const Item& item) {
  switch (item.kind) {
    case Kind::kUnsigned:
      if (item.value > kInt64Max) return std::nullopt;
      return static_cast<std::int64_t>(item.value);
    case Kind::kNegative:
      if (item.value > kInt64Max) return std::nullopt;
      return -1 - static_cast<std::int64_t>(item.value);
    case Kind::kFloat: {
      const double whole = std::floor(item.number);
      const double limit = std::ldexp(1.0, 63);
      if (!(whole >= -limit && whole < limit)) return std::nullopt;  // NaN too
      return static_cast<std::int64_t>(whole);
    }
    default:
      return std::nullopt;
  }
}

// Reads one map.
class PropertyReader {
 public:
  explicit PropertyReader(Bytes body) : reader_(body) {}

  std::expected<PropertySet, PropertyError> run() {
    const auto map = reader_.next();
    if (!map) return refuse(map.error());
    if (map->kind != Kind::kMap) return refuse(map->offset, "the properties are not a CBOR map");
    while (true) {
      const auto key = reader_.next();
      if (!key) return refuse(key.error());
      if (key->kind == Kind::kEnd) break;
      if (const Step step = read_entry(*key); !step) return std::unexpected(step.error());
    }
    if (const auto end = reader_.finish(); !end) return refuse(end.error());
    if (set_.initialize && !set_.topic_content_format) {
      return refuse(map->offset,
                    "initialize (key 8) needs topic-content-format (key 3), which is missing");
    }
    return set_;
  }

 private:
  using Step = std::expected<void, PropertyError>;

  Step read_entry(const Item& key) {
    if (key.kind == Kind::kNegative) {
      return refuse(key.offset, fmt::format("there is no property with key -1-{}", key.value));
    }
    if (key.kind != Kind::kUnsigned) {
      return refuse(key.offset, "a key is no integer: properties are named by numbers");
    }
    if (key.value >= kNames.size()) {
      return refuse(key.offset, fmt::format("there is no property with key {}", key.value));
    }
    const auto property = static_cast<Property>(key.value);
    if ((set_.keys() & key_of(property)) != 0) return refuse(key, property, "stands twice");
    const auto value = reader_.next();
    if (!value) return refuse(value.error());
    return read_value(property, *value);
  }

  Step read_value(Property property, const Item& value) {
    switch (property) {
      case Property::kTopicName:
        return read_text(property, value, set_.topic_name);
      case Property::kTopicData:
        return read_text(property, value, set_.topic_data);
      case Property::kResourceType:
        return read_text(property, value, set_.resource_type);
      case Property::kTopicContentFormat:
        if (value.kind != Kind::kUnsigned || value.value > 0xffff) {
          return refuse(value, property, "is no unsigned integer of at most 65535");
        }
        set_.topic_content_format = static_cast<ContentFormat>(value.value);
        return {};
      case Property::kTopicType:
        return read_text(property, value, set_.topic_type);
      case Property::kExpirationDate:
        return read_date(property, value);
      case Property::kMaxSubscribers:
        if (value.kind != Kind::kUnsigned) return refuse(value, property, kNoUnsigned);
        set_.max_subscribers = value.value;
        return {};
      case Property::kObserverCheck:
        if (value.kind != Kind::kUnsigned) return refuse(value, property, kNoUnsigned);
        if (value.value == 0) return refuse(value, property, "is 0: it has to be above");
        set_.observer_check_s = value.value;
        return {};
      case Property::kInitialize:
        if (value.kind != Kind::kBytes) return refuse(value, property, "is no byte string");
        if (value.indefinite) return refuse(value, property, kInChunks);
        set_.initialize = value.bytes;
        return {};
    }
    return {};
  }

  Step read_text(Property property, const Item& value, std::optional<std::string_view>& text) {
    if (value.kind != Kind::kText) return refuse(value, property, "is no text string");
    if (value.indefinite) return refuse(value, property, kInChunks);
    text = as_text(value.bytes);
    return {};
  }

  Step read_date(Property property, const Item& tag) {
    if (tag.kind != Kind::kTag || tag.value != kEpochTag) {
      return refuse(tag, property, "is no date: it has to be a number with tag 1");
    }
    const auto number = reader_.next();
    if (!number) return refuse(number.error());
    const auto seconds = seconds_of(*number);
    if (!seconds) {
      return refuse(*number, property, "is no date: tag 1 goes with seconds, a number in range");
    }
    set_.expires_at_s = seconds;
    return {};
  }

  static constexpr const char* kNoUnsigned = "is no unsigned integer";
  static constexpr const char* kInChunks = "comes in chunks: send the string in one piece";

  cbor::Reader reader_;
  PropertySet set_;
};

void write_value(cbor::Writer& out, const PropertySet& set, Property property) {
  switch (property) {
    case Property::kTopicName:
      return out.text(*set.topic_name);
    case Property::kTopicData:
      return out.text(*set.topic_data);
    case Property::kResourceType:
      return out.text(*set.resource_type);
    case Property::kTopicContentFormat:
      return out.unsigned_integer(static_cast<std::uint64_t>(*set.topic_content_format));
    case Property::kTopicType:
      return out.text(*set.topic_type);
    case Property::kExpirationDate:
      out.tag(kEpochTag);
      return out.integer(*set.expires_at_s);
    case Property::kMaxSubscribers:
      return out.unsigned_integer(*set.max_subscribers);
    case Property::kObserverCheck:
      return out.unsigned_integer(*set.observer_check_s);
    case Property::kInitialize:
      return out.bytes(*set.initialize);
  }
}

// Calls visit(Property) for each of `keys`, in ascending order.
template <typename Visit>
void for_each(PropertyKeys keys, Visit visit) {
  for (unsigned key = 0; key < kNames.size(); ++key) {
    if ((keys >> key & 1u) != 0) visit(static_cast<Property>(key));
  }
}

template <typename Value>
bool fits(const std::optional<Value>& value, const std::optional<Value>& wanted) {
  return !wanted || value == wanted;
}

}  // namespace

std::string_view to_string(Property property) {
  return kNames[static_cast<std::size_t>(property)];
}

PropertyKeys PropertySet::keys() const {
  using enum Property;
  const auto bit = [](bool is_set, Property property) { return is_set ? key_of(property) : 0u; };
  return static_cast<PropertyKeys>(
      bit(topic_name.has_value(), kTopicName) | bit(topic_data.has_value(), kTopicData) |
      bit(resource_type.has_value(), kResourceType) |
      bit(topic_content_format.has_value(), kTopicContentFormat) |
      bit(topic_type.has_value(), kTopicType) | bit(expires_at_s.has_value(), kExpirationDate) |
      bit(max_subscribers.has_value(), kMaxSubscribers) |
      bit(observer_check_s.has_value(), kObserverCheck) | bit(initialize.has_value(), kInitialize));
}

bool PropertySet::has_all(const PropertySet& filter) const {
  return fits(topic_name, filter.topic_name) && fits(topic_data, filter.topic_data) &&
         fits(resource_type, filter.resource_type) &&
         fits(topic_content_format, filter.topic_content_format) &&
         fits(topic_type, filter.topic_type) && fits(expires_at_s, filter.expires_at_s) &&
         fits(max_subscribers, filter.max_subscribers) &&
         fits(observer_check_s, filter.observer_check_s) &&
         (!filter.initialize ||
          (initialize && std::ranges::equal(*initialize, *filter.initialize)));
}

std::expected<PropertySet, PropertyError> read_properties(Bytes body) {
  return PropertyReader(body).run();
}

std::expected<PropertyKeys, PropertyError> read_property_keys(Bytes body) {
  cbor::Reader reader(body);
  const auto array = reader.next();
  if (!array) return refuse(array.error());
  if (array->kind != Kind::kArray) return refuse(array->offset, "the keys are not a CBOR array");
  PropertyKeys keys = 0;
  while (true) {
    const auto key = reader.next();
    if (!key) return refuse(key.error());
    if (key->kind == Kind::kEnd) break;
    if (key->kind != Kind::kUnsigned && key->kind != Kind::kNegative) {
      return refuse(key->offset, "a key is no integer: properties are named by numbers");
    }
    if (key->kind == Kind::kUnsigned && key->value < kNames.size()) {
      keys |= key_of(static_cast<Property>(key->value));
    }
  }
  if (const auto end = reader.finish(); !end) return refuse(end.error());
  return keys;
}

void write_properties(cbor::Writer& out, const PropertySet& properties, PropertyKeys which) {
  const auto keys = static_cast<PropertyKeys>(properties.keys() & which);
  out.map(static_cast<std::uint64_t>(std::popcount(keys)));
  for_each(keys, [&](Property property) {
    out.unsigned_integer(static_cast<std::uint64_t>(property));
    write_value(out, properties, property);
  });
}

void write_property_keys(cbor::Writer& out, PropertyKeys which) {
  const auto keys = static_cast<PropertyKeys>(which & kAllProperties);
  out.array(static_cast<std::uint64_t>(std::popcount(keys)));
  for_each(keys,
           [&](Property property) { out.unsigned_integer(static_cast<std::uint64_t>(property)); });
}

}  // namespace hermod::coap
