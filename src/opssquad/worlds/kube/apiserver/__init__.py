"""A Kubernetes API over HTTP for a recorded cluster: what the real server answers, from objects in memory."""
