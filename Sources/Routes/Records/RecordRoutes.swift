import HTTP

/// Appending, reading, tailing and trimming of a log's records.
func recordRoutes(_ services: Services) -> [Route] {
    []
}
