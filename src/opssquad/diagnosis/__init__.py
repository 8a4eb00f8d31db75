"""From signals to a ranked differential; all knowledge is data."""
