import HTTP

/// The API, top to bottom: every path and method that the server answers. `HEAD` and `OPTIONS` follow from these rows.
package func routeTable(_ services: Services) -> [Route] {
    let operating = OperatingRoutes(services: services)
    let logs = LogRoutes(services: services)
    let keys = KeyRoutes(services: services)
    return [
        Route(.get, "/", operating.index),
        Route(.get, "/livez", operating.livez),
        Route(.get, "/readyz", operating.readyz),
        Route(.get, "/metrics", operating.metrics),
        Route(.get, "/v1/info", operating.info),
        Route(.get, "/v1/config", operating.configuration),

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
    ] + recordRoutes(services)
}
