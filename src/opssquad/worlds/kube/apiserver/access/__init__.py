"""Who may do what: RBAC over the cluster's own objects, and the reviews by which a client asks."""
