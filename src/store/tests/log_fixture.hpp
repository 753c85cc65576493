// SPDX-License-Identifier: Apache-2.0
// A log on a faulty disk, and what was appended to it.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hermod/base/rng.hpp"
#include "hermod/testkit/faulty_disk.hpp"
#include "log_reader.hpp"
#include "message_log.hpp"

namespace hermod::store {

using Octets = std::vector<std::uint8_t>;
/// Bodies by position.
using Bodies = std::map<Position, Octets>;

/// Several records a segment, several segments a test.
inline constexpr LogLimits kSmallLimits{.segment_octets_max = kRecordsBegin + 4'096,
                                        .buffer_octets_max = 1u << 20,
                                        .open_files_max = 3};

inline Octets octets_of(std::string_view text) {
  return {text.begin(), text.end()};
}

class LogFixture : public testing::Test {
 protected:
  explicit LogFixture(const LogLimits& limits = kSmallLimits) : limits_(limits) {}

  /// Opens the log anew; what it holds is in `found_` and `recovered_` then.
  void open() {
    log_.reset();
    auto log = MessageLog::open(disk_, rng_, limits_);
    ASSERT_TRUE(log) << log.error();
    log_ = std::move(*log);
    found_.clear();
    const auto recovered = log_->recover([this](const RecordView& record) {
      found_[record.position] = {record.body.begin(), record.body.end()};
    });
    ASSERT_TRUE(recovered) << recovered.error();
    recovered_ = *recovered;
  }

  Position append(std::string_view body, std::uint32_t references = 0) {
    const auto appended =
        log_->append(make_draft(RecordKind::kMessage, as_bytes(body), {}, references));
    appended_[appended.position] = octets_of(body);
    return appended.position;
  }

  /// Takes and writes the open batch.
  WriteResult write(bool sync = true) {
    EXPECT_TRUE(log_->take_batch());
    return log_->write_batch(sync);
  }

  /// Appends until `segments` segments are full and the next one is begun, and writes it all.
  void fill(SegmentNumber segments, std::uint32_t references = 0) {
    const std::string body(500, 'f');
    while (segment_of(append(body, references)) <= segments) {
    }
    ASSERT_EQ(write(), WriteResult::kDone);
  }

  testkit::FaultyDisk disk_{1};
  SeededRng rng_{2};
  LogLimits limits_;
  std::unique_ptr<MessageLog> log_;
  Bodies appended_;
  Bodies found_;
  Recovered recovered_;
};

}  // namespace hermod::store
