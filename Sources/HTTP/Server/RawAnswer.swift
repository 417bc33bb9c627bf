/// An answer written without libmicrohttpd, always the last on its connection.
enum RawAnswer {
    static func bytes(_ response: Response, withoutBody: Bool, now: Int64) -> [UInt8] {
        let body = response.body.withBytes { Array($0) }
        var head = "HTTP/1.1 \(response.status) \(reason(response.status))\r\nDate: "
        let date = HTTPDate()
        head += String(
            unsafeUninitializedCapacity: HTTPDate.length,
            initializingUTF8With: { output in
                guard let start = output.baseAddress else { return 0 }
                date.write(into: start, now: now)
                return HTTPDate.length
            })
        head += "\r\nConnection: close\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n"
        if let contentType = response.contentType, HeadBlock.isValid(contentType) {
            head += "Content-Type: \(contentType)\r\n"
        }
        for field in response.allFields where HeadBlock.isValid(field.value) {
            head += "\(field.name): \(field.value)\r\n"
        }
        head += "Content-Length: \(body.count)\r\n\r\n"
        return Array(head.utf8) + (withoutBody ? [] : body)
    }

    private static func reason(_ status: Int) -> String {
        switch status {
        case 400: "Bad Request"
        case 404: "Not Found"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 412: "Precondition Failed"
        case 413: "Content Too Large"
        case 415: "Unsupported Media Type"
        case 429: "Too Many Requests"
        case 500: "Internal Server Error"
        case 503: "Service Unavailable"
        case 507: "Insufficient Storage"
        default: "Error"
        }
    }
}
