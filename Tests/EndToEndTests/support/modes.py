"""The modes of storage that a server can run in: the suites of what logs promise pass in each of them, unchanged."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Mode:
    name: str
    # What writes are acknowledged as when they ask for nothing.
    ack: str
    needs_directory: bool = False
    # For `pyralog serve`, beside the data directory.
    arguments: tuple[str, ...] = ()
    # Levels that a write may ask for.
    acks: tuple[str, ...] = ("memory",)

    def flags(self, directory) -> tuple[str, ...]:
        """Of a server that keeps its data in this directory, if it keeps any."""
        return (("--data-dir", str(directory)) if self.needs_directory else ()) + self.arguments

    def __str__(self):
        return self.name


MEMORY = Mode("memory", ack="memory")
PERSISTENT = Mode("persistent", ack="disk", needs_directory=True, acks=("memory", "disk"))
HYBRID = Mode("hybrid", ack="memory", needs_directory=True, arguments=("--mode", "hybrid"))

ALL = (MEMORY, PERSISTENT, HYBRID)
