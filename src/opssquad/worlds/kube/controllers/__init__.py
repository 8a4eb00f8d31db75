"""What controllers, scheduler and kubelet do to a recorded cluster after a change, on its own clock."""
