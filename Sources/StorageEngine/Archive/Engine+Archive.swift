import Platform

extension Engine {
    /// Moves what is old enough to its archive, deletes objects that nobody needs, and waits for both. Its own thread does
    /// so twice a second once the engine is started.
    package func archiveDue() {
        guard let storage = services.storage else { return }
        services.archive.run(archiveSource, storage, forced: true)
    }

    /// What the archive has done since the start.
    package var archiveFigures: ArchiveFigures { services.archive.figures }

    var archiveSource: Archive.Source {
        Archive.Source(
            logs: { [weak self] in self?.allLogs ?? [] },
            clock: clock, report: services.reportFailure)
    }
}

extension Archive {
    /// On a thread of its own, until it is stopped.
    func work(_ source: Source, _ storage: Storage) {
        let pauseNanoseconds: Int64 = 500_000_000
        while true {
            let generation = wakeUp.generation
            if isStopping { return }
            run(source, storage)
            wakeUp.wait(since: generation, timeoutNanoseconds: pauseNanoseconds)
        }
    }
}
