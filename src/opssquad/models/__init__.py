"""Language models behind one protocol: any OpenAI-compatible endpoint, scripted replies, and none at all."""
