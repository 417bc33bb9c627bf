import HTTP
import Snapshots

/// The API, top to bottom: every path and method that the server answers. `HEAD` and `OPTIONS` follow from these rows.
package func routeTable(_ services: Services) -> [Route] {
    let logs = LogRoutes(services: services)
    let keys = KeyRoutes(services: services)
    let transactions = TransactionRoutes(services: services)
    let sql = SQLRoutes(services: services)
    return operatingRoutes(services) + [
        Route(.get, "/v1/logs", logs.list),
        Route(.get, "/v1/logs/{log}", logs.get),
        Route(.put, "/v1/logs/{log}", body: logs.controlBody, logs.put),
        Route(.patch, "/v1/logs/{log}", body: logs.controlBody, logs.patch),
        Route(.delete, "/v1/logs/{log}", logs.delete),

        Route(.get, "/v1/logs/{log}/keys/{key}", keys.get),
        Route(.put, "/v1/logs/{log}/keys/{key}", body: keys.putBody, keys.put),
        Route(.patch, "/v1/logs/{log}/keys/{key}", body: keys.patchBody, keys.patch),
        Route(.delete, "/v1/logs/{log}/keys/{key}", keys.delete),
        Route(.post, "/v1/logs/{log}/keys/{key}:increment", body: keys.controlBody, keys.increment),
        Route(.post, "/v1/logs/{log}/keys/{key}:touch", body: keys.controlBody, keys.touch),
        Route(.get, "/v1/logs/{log}/keys", keys.list),
        Route(.post, "/v1/logs/{log}/keys:get", body: keys.keysBody, keys.getMany),

        Route(.post, "/v1/transactions", body: transactions.body, transactions.run),

        Route(.get, "/v1/sql", sql.get),
        Route(.post, "/v1/sql", body: sql.body, sql.post),
        Route(.get, "/v1/queries", sql.list),
        Route(.delete, "/v1/queries/{id}", sql.cancel),
    ] + recordRoutes(services) + snapshotRoutes(services) + dumpRoutes(services)
        + testRoutes(services)
}

private func snapshotRoutes(_ services: Services) -> [Route] {
    let snapshots = SnapshotRoutes(services: services)
    let restores = LoadRoutes(services: services, kind: .restore, path: "restores")
    let replays = LoadRoutes(services: services, kind: .replay, path: "replays")
    let exports = LoadRoutes(services: services, kind: .export, path: "exports")
    return [
        Route(.get, "/v1/snapshots", snapshots.list),
        Route(.post, "/v1/snapshots", body: snapshots.body, snapshots.take),
        Route(.get, "/v1/snapshots/{id}", snapshots.get),
        Route(.delete, "/v1/snapshots/{id}", snapshots.delete),
        Route(.post, "/v1/snapshots/{id}:restore", body: snapshots.body, snapshots.restore),

        Route(.get, "/v1/restores", restores.list),
        Route(.post, "/v1/restores", body: snapshots.body, restores.restore),
        Route(.get, "/v1/restores/{id}", restores.get),
        Route(.delete, "/v1/restores/{id}", restores.cancel),

        Route(.get, "/v1/replays", replays.list),
        Route(.post, "/v1/replays", body: snapshots.body, replays.replay),
        Route(.get, "/v1/replays/{id}", replays.get),
        Route(.delete, "/v1/replays/{id}", replays.cancel),

        Route(
            .post, "/v1/logs/{log}:export", body: snapshots.body, ExportRoutes(services: services).export),
        Route(.get, "/v1/exports", exports.list),
        Route(.get, "/v1/exports/{id}", exports.get),
        Route(.delete, "/v1/exports/{id}", exports.cancel),
    ]
}

/// What is answered at any time.
private func operatingRoutes(_ services: Services) -> [Route] {
    let operating = OperatingRoutes(services: services)
    return [
        Route(.get, "/", operating.index),
        Route(.get, "/livez", operating.livez),
        Route(.get, "/readyz", operating.readyz),
        Route(.get, "/metrics", operating.metrics),
        Route(.get, "/v1/info", operating.info),
        Route(.get, "/v1/config", operating.configuration),
        Route(.get, "/v1/memory", operating.memory),
    ]
}

/// The table as it is served: while the disk is being read, what works with data is refused.
func gatedRouteTable(_ services: Services) -> [Route] {
    let open = Set(operatingRoutes(services).map(\.pattern))
    return routeTable(services).map { route in
        guard !open.contains(route.pattern) else { return route }
        return route.guarded { _ in
            if services.readiness.isRecovering { throw Problem.recovering(services) }
        }
    }
}

/// In test mode only: elsewhere there is nothing at these paths.
private func testRoutes(_ services: Services) -> [Route] {
    guard services.testMode != nil else { return [] }
    let test = TestRoutes(services: services)
    return [
        Route(.post, "/v1/test/clock", body: test.body, test.clock),
        Route(.post, "/v1/test/reset", body: test.body, test.reset),
    ]
}
