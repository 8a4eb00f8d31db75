"""Tools of the database squad: what a PostgreSQL server shows, and what may be done there."""
