import ArgumentParser
import HTTPClient

struct Delete: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Delete a key.")

    @OptionGroup var key: KeyArguments
    @OptionGroup var options: ClientOptions

    func run() throws {
        try options.run { server in _ = try server.fetch(server.request("DELETE", key.path)) }
    }
}
