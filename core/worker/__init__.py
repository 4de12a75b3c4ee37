"""The background process: a supervisor, one child process per job, and the recorder of progress."""
