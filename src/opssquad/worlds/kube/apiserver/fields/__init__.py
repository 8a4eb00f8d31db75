"""Who manages which field: sets of field paths, comparison of objects, and the entries of `managedFields`."""
