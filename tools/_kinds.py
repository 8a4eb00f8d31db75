"""The kinds of workloads that have rollouts, and the words people write for them; pure."""

ROLLED = ("Deployment", "StatefulSet", "DaemonSet")
"""Kinds with a pod template and rollouts."""
WORDS = {"deploy": "Deployment", "sts": "StatefulSet", "ds": "DaemonSet", "rs": "ReplicaSet"} | {
    kind.lower(): kind for kind in (*ROLLED, "ReplicaSet")
}


def kind_of(word: str) -> str:
    """The kind as the API writes it: `sts`, `statefulsets` and `StatefulSet` are one; others as they are."""
    low = word.lower()
    return WORDS.get(low) or WORDS.get(low.removesuffix("s")) or word
