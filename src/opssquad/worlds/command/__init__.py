"""Programs of the owner's: run by a list of arguments, without a shell, in a sandbox where there is one."""
