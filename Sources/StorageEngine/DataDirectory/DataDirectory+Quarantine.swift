import Platform

// What is damaged is copied aside, for people to look at, and the server goes on without it.
extension DataDirectory {
    /// Something was put aside, in this run or an earlier one, and nobody has removed it yet.
    var hasQuarantine: Bool { files.exists("\(path)/\(Self.quarantineDirectory)") }

    /// - Parameter walFiles: in the order of their frames: those behind the damaged one cannot be applied, and go.
    /// - Throws: the failure itself unless the server was told to put aside what is damaged.
    func putAside(_ failure: StorageFailure, _ walFiles: [String]) throws(StorageFailure) {
        guard isQuarantining else { throw failure }
        do throws(FileFailure) {
            try files.makeDirectory("\(path)/\(Self.quarantineDirectory)")
            try copyAside(failure.path)
            guard let damaged = walFiles.firstIndex(of: failure.path) else { return }
            for later in walFiles[(damaged + 1)...] where files.exists(later) {
                try copyAside(later)
                try files.remove(later)
            }
        } catch {
            throw StorageFailure(error)
        }
    }

    private func copyAside(_ file: String) throws(FileFailure) {
        let name = file.split(separator: "/").last.map(String.init) ?? "file"
        let target = "\(path)/\(Self.quarantineDirectory)/\(name)"
        guard files.exists(file), !files.exists(target) else { return }
        let content = try files.open(file, .read).map()
        let copy = try files.open(target, .create)
        try copy.write(content.bytes, at: 0)
        try copy.synchronise()
        try files.synchroniseDirectory("\(path)/\(Self.quarantineDirectory)")
    }
}
