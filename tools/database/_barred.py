"""Settings that are not ours to change, and values that do harm, each with the reason."""

import re
from collections.abc import Mapping

_RUNS = "it runs programs on the server"
_LOADS = "it loads code into the server"
_ENCRYPTS = "clients would be locked out, or be protected no longer"
_LETS_IN = "it says who is let in, and may lock everybody out"
_DAMAGED = "it has the server go on with damaged data"
BARRED: Mapping[str, str] = {
    "fsync": "a crash would lose or damage data",
    "full_page_writes": "a crash would damage pages",
    "archive_command": _RUNS,
    "archive_cleanup_command": _RUNS,
    "recovery_end_command": _RUNS,
    "restore_command": _RUNS,
    "ssl_passphrase_command": _RUNS,
    "archive_library": _LOADS,
    "shared_preload_libraries": _LOADS,
    "session_preload_libraries": _LOADS,
    "local_preload_libraries": _LOADS,
    "dynamic_library_path": _LOADS,
    "extension_control_path": _LOADS,
    "jit_provider": _LOADS,
    "oauth_validator_libraries": _LOADS,
    "hba_file": _LETS_IN,
    "ident_file": _LETS_IN,
    "authentication_timeout": _LETS_IN,
    "password_encryption": "passwords that are set from then on are kept in another way",
    "ignore_checksum_failure": _DAMAGED,
    "ignore_invalid_pages": _DAMAGED,
    "ignore_system_indexes": _DAMAGED,
    "zero_damaged_pages": _DAMAGED,
    "allow_system_table_mods": "it lets the catalogue be damaged",
    "session_replication_role": "triggers and foreign keys would not be kept",
    "row_security": "it says whether rows are hidden",
    "primary_conninfo": "a replica would follow another server",
    "primary_slot_name": "a replica would lose its place",
    "log_line_prefix": "whoever reads the log would read it no more",
    "log_directory": "whoever reads the log would find it no more",
    "log_destination": "whoever reads the log would find it no more",
}
BARRED_BEGINNINGS: Mapping[str, str] = {"ssl": _ENCRYPTS, "krb_": _LETS_IN, "debug_": "it is for developers"}
_SECRET = re.compile(r"password|passwd|secret|token|key|jwt|credential")
"""What a name says that an application gave a setting of its own."""
HARM: Mapping[str, tuple[str, str]] = {
    "autovacuum": ("off", "dead rows pile up, until the server stops taking writes"),
    "default_transaction_read_only": ("on", "every write fails"),
    "synchronous_commit": ("off", "a crash loses commits that were confirmed"),
    "enable_indexscan": ("off", "plans no longer use indexes"),
}
"""A value that does harm by itself, and which."""


def barred(name: str) -> str:
    """Why a setting is not changed from here; empty where it may be."""
    low = name.lower()
    if "." in low and _SECRET.search(low):
        return "its value may be a secret, and a card would show it"
    found = (why for start, why in BARRED_BEGINNINGS.items() if low.startswith(start))
    return BARRED.get(low) or next(found, "")
