import JSON
import StorageEngine

extension JSONWriter {
    mutating func dumpedLog(_ log: LogState) {
        object { json in
            json.member("log", log.name)
            json.member("config", log.configuration.json)
            json.key("partitions")
            json.array { json in
                for partition in log.partitions {
                    json.object { json in
                        json.member("first", partition.bounds.lowerBound)
                        json.member("tail", partition.bounds.upperBound)
                    }
                }
            }
        }
    }

    mutating func dumpedProducer(_ call: ProducerCall, of log: String) {
        object { json in
            json.member("log", log)
            json.member("producer", call.stamp.id)
            json.member("epoch", call.stamp.epoch)
            json.member("seq", call.stamp.sequence)
            json.member("time", call.time)
            json.key("ranges")
            json.array { json in
                for range in call.ranges {
                    json.object { json in
                        json.member("partition", range.partition)
                        json.member("start", range.start.rawValue)
                        json.member("end", range.end.rawValue)
                    }
                }
            }
        }
    }

    /// - Parameter isNewest: of its key. A tombstone never is, which needs no saying.
    mutating func dumpedRecord(_ record: Record, of log: String, isNewest: Bool) {
        beginObject()
        member("log", log)
        member("partition", record.partition)
        member("offset", record.offset.rawValue)
        member("timestamp", record.timestamp)
        if record.arrival != record.timestamp { member("arrival", record.arrival) }
        if record.hasKey { bytesMember("key", base64: "key_base64", record.keyView) }
        valueMembers(of: record, onOneLine: true, prefersShort: true)
        if record.hasExtras { headersMember(record.extras.headers) }
        if record.deadline != Deadline.never { member("expires_at", record.deadline) }
        if record.priority != 0 { member("priority", Int(record.priority)) }
        if record.hasKey, !isNewest, !record.type.isTombstone { member("superseded", true) }
        endObject()
    }
}
