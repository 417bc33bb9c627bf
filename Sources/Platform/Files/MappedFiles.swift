import CPlatform

/// Files that are read as memory.
package enum MappedFiles {
    /// From now on a page that the system cannot read ends the process with code 74 (EX_IOERR) and names the file on standard
    /// error: there is no call that could fail instead.
    package static func endProcessOnError() {
        // It fails for signals that there are not.
        _ = pyra_exit_on_bus_error()
    }
}
