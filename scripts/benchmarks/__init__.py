"""What the benchmark scripts share: servers on loopback, load, tables, and the figures themselves."""
