"""The agent graph of a squad. langgraph is known here and nowhere else."""

from opssquad.settings import strict_checkpoints

# The engine reads this once, when it is imported: a checkpoint must never import what its bytes name.
strict_checkpoints()
