import HTTP

/// The API, top to bottom: every path and method that the server answers. `HEAD` and `OPTIONS` follow from these rows.
package func routeTable(_ services: Services) -> [Route] {
    recordRoutes(services)
}
