// SPDX-License-Identifier: Apache-2.0
// `hermod store dump`: every row and every record, as they lie there.
#include <fmt/format.h>

#include <set>

#include "hermod/store/offline.hpp"
#include "offline/log_survey.hpp"
#include "offline/metadata_copy.hpp"
#include "offline/record_text.hpp"

namespace hermod::store {
namespace {

class Dump {
 public:
  Dump(const DumpOptions& options, const LineSink& sink) : text_(options.payloads), sink_(sink) {}

  void metadata(Disk& disk, const std::string& folder) {
    const MetadataFindings found = read_metadata(disk, folder);
    if (!found.there) return put("there is no metadata");
    put(fmt::format("metadata generation {}, first free queue {}", found.generation,
                    found.first_free_queue));
    for (const core::Change& change : found.changes) put(text_.write(change));
    for (const std::string& lost : found.lost) put("damaged: " + lost);
  }

  void log(LogSurvey& log) {
    const LogFindings findings = log.read([this](const RecordView& record) { add(record); });
    for (const Damage& damage : findings.damage) {  // what lies between no two records
      if (shown_.contains(damage.position)) continue;
      put(fmt::format("{} damaged: {} octets{}", text_of(damage.position), damage.octets,
                      offset_of(damage.position) == 0 ? ", its header among them" : ""));
    }
    for (const std::string& unread : findings.unread) put("damaged: " + unread);
    if (findings.torn.octets > 0) {
      put(fmt::format("{} torn end: {} octets", text_of(findings.torn.position),
                      findings.torn.octets));
    }
  }

 private:
  void put(std::string_view line) { taken_ = taken_ && sink_(line); }

  // What lies between two records is damaged.
  void add(const RecordView& record) {
    const SegmentNumber segment = segment_of(record.position);
    if (segment_of(end_) != segment) end_ = position_of(segment, kRecordsBegin);
    if (end_ != record.position) {
      put(fmt::format("{} damaged: {} octets", text_of(end_), record.position - end_));
      shown_.insert(end_);
    }
    end_ = record.position + record_octets(record.body.size());
    put(text_.write(record));
  }

  RecordText text_;
  const LineSink& sink_;
  bool taken_ = true;
  Position end_ = 0;  // of the record before
  std::set<Position> shown_;
};

}  // namespace

std::expected<void, std::string> dump_store(Disk& disk, const std::string& folder,
                                            const DumpOptions& options, const LineSink& sink) {
  auto log = LogSurvey::open(disk);
  if (!log) return std::unexpected(fmt::format("{}: {}", folder, log.error()));
  if (log->empty() && !read_metadata(disk, folder).there) {
    return std::unexpected(
        fmt::format("there is no store in {}: neither metadata nor log", folder));
  }
  Dump dump(options, sink);
  if (options.metadata) dump.metadata(disk, folder);
  if (options.log) dump.log(*log);
  return {};
}

}  // namespace hermod::store
