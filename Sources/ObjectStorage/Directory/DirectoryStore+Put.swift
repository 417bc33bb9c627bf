import Platform

extension DirectoryStore {
    /// Into a file beside its place, which is synchronised, read back from the disk and compared before it gets its name.
    package func put(_ key: String, _ source: ObjectSource) throws(ObjectStoreFailure) {
        try ObjectKey.check(key, in: location)
        guard try reaching(key, { () throws(FileFailure) in try makeParents(of: key) }) else {
            throw ObjectStoreFailure(
                .invalid, location, key, "a part of the way there is no directory, or a symbolic link")
        }
        let directory = Self.parent(of: path(of: key))
        let number = String(UInt64.random(in: 0...UInt64.max), radix: 16)
        let temporary = "\(directory == "/" ? "" : directory)/\(ObjectKey.temporaryPrefix)\(number)"
        do {
            let digest = try write(source, to: temporary, key)
            try verify(temporary, source.length, digest, key)
            try reaching(key) { () throws(FileFailure) in
                try files.rename(temporary, to: path(of: key))
                try files.synchroniseDirectory(directory)
            }
        } catch {
            // It may not be there, and if it cannot be removed the first failure is the one to tell.
            try? files.remove(temporary)
            throw error
        }
    }

    private func write(
        _ source: ObjectSource, to temporary: String, _ key: String
    ) throws(ObjectStoreFailure) -> [UInt8] {
        let file = try reaching(key) { () throws(FileFailure) in try files.open(temporary, .create) }
        var digest = SHA256()
        try pieces(of: source, 0..<source.length, key, .source) { offset, piece in
            digest.update(piece)
            do throws(FileFailure) {
                try file.write(piece, at: offset)
            } catch {
                throw WriteFailure(cause: error)
            }
        }
        try reaching(key) { () throws(FileFailure) in
            try file.synchronise()
            file.forgetCached()
        }
        return digest.finish()
    }

    private func verify(
        _ temporary: String, _ length: Int, _ expected: [UInt8], _ key: String
    ) throws(ObjectStoreFailure) {
        let file = try reaching(key) { () throws(FileFailure) in try files.open(temporary, .read) }
        let size = try reaching(key) { () throws(FileFailure) in try file.size() }
        var digest = SHA256()
        if size == length {
            let written = ObjectSource(length: size) { offset, buffer in
                try file.read(into: buffer, at: offset)
            }
            try pieces(of: written, 0..<size, key, .files) { _, piece in digest.update(piece) }
        }
        guard size == length, digest.finish() == expected else {
            throw ObjectStoreFailure(
                .corrupt, location, key,
                "what was read back from the disk is not what was written: look at the disk and the system's log"
            )
        }
    }
}
