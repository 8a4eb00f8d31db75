"""What the network says: typed probes with deadlines, on real sockets or from a recording."""
