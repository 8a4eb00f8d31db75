"""A recorded incident on disk: loading it, refusing a bad one, and the lint that proves it is a fair case."""

from opssquad.worlds.kube.recording.checks import check
from opssquad.worlds.kube.recording.load import Recording, load, load_truth

__all__ = ["Recording", "check", "load", "load_truth"]
