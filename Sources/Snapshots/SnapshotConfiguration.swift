import ObjectStorage
import Platform

package struct SnapshotConfiguration: Sendable {
    /// Where snapshots go that do not say.
    package var location: ObjectLocation?
    /// Between the beginnings of two snapshots that are made by themselves; nil: none are.
    package var intervalMilliseconds: Int64?
    /// How many of those that were made by themselves stay.
    package var keep = 7
    /// Requests may name these places and what is below; empty: any.
    package var allowedLocations: [ObjectLocation] = []
    /// Never named by a request: the server's own.
    package var dataDirectory: ObjectLocation?
    /// At most as much is gathered in memory before it is sent.
    package var packBytesMax = 64 << 20
    package init() {}

    /// A place that a request, or the configuration of a log, names.
    /// - Throws: `invalid` for what is none, or is not allowed.
    package func place(_ text: String, field: String = "location") throws(SnapshotFailure) -> ObjectLocation {
        let place: ObjectLocation
        do throws(ObjectStoreFailure) { place = try ObjectLocation(text) } catch {
            throw .invalid(field: field, reason: "\"\(text)\": \(error.detail)")
        }
        if place == location { return place }
        guard allowedLocations.isEmpty || allowedLocations.contains(where: { place.isWithin($0) }) else {
            throw .invalid(
                field: field, reason: "\(place) is not under one of the server's allowed_locations")
        }
        if isOwn(place) {
            throw .invalid(field: field, reason: "\(place) is where the server keeps its own files")
        }
        return place
    }

    /// It has the data directory in it, or lies there.
    package func isOwn(_ place: ObjectLocation) -> Bool {
        guard let own = dataDirectory else { return false }
        let (place, directory) = (Self.followed(place), Self.followed(own))
        return place.isWithin(directory) || directory.isWithin(place)
    }

    /// Links are an operator's own, but one may lead where no snapshot belongs.
    private static func followed(_ place: ObjectLocation) -> ObjectLocation {
        guard case .directory(let path) = place else { return place }
        return .directory(SystemFiles.followed(path))
    }
}
