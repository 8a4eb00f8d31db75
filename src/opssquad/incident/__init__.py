"""The durable record of an incident and its timeline."""
