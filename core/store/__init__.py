"""Tables, queries, files and migrations: the only place that imports SQLAlchemy."""
