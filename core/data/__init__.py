"""Reading, checking, splitting and encoding examples, without torch and without the database."""
