"""A real PostgreSQL for tests, real faults made on it by real clients."""
