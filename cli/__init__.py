"""The command line for people: njia validate, publish, execute, executions, sessions, dial and replay."""
